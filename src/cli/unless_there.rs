//! `--unless-there`: an option of what makes certificates.

use clap::Args;

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct UnlessThereArgs {
    /// Leave what is there already as it is, if it is good and what was asked for, and
    /// call it done: for programs that set things up again and again.
    #[arg(long)]
    pub(crate) unless_there: bool,
}
