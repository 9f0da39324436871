//! `cargo bench -p entente-coordinator`: the same as `entente bench scheduler`,
//! without the command line.

use entente_coordinator::bench::{self, BenchError, Scale};

fn main() -> Result<(), BenchError> {
    let folder = tempfile::tempdir().map_err(|error| BenchError::Runtime(error.to_string()))?;
    let figures = actix_rt::System::new().block_on(async {
        let mut figures = bench::engine(Scale::USUAL).await?;
        let file = folder.path().join("jobs.sqlite");
        figures.extend(bench::stored(Scale::USUAL, &file).await?);
        Ok::<_, BenchError>(figures)
    })?;
    for figure in figures {
        println!("{figure}");
    }
    Ok(())
}
