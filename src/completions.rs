//! Shell completions.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{cli::Cli, exit::Failure};

/// Prints the completions for a shell.
pub(crate) fn print(shell: Shell) -> Result<(), Failure> {
    clap_complete::generate(
        shell,
        &mut Cli::command(),
        "entente",
        &mut std::io::stdout(),
    );
    Ok(())
}
