//! `entente party sealing-key`: the keys that a party's journals are sealed with.

use entente_actors::{
    PartyConfig,
    sealing::{KeyId, SealingKeys, make_sealing_key},
};
use serde::Serialize;

use crate::{
    cli::{BesideArgs, Format, SealingKeyCommand},
    exit::Failure,
    output, settings,
};

/// Does what was asked for.
pub(crate) fn run(command: &SealingKeyCommand) -> Result<(), Failure> {
    match command {
        SealingKeyCommand::New { file } => {
            let id = make_sealing_key(file).map_err(Failure::configuration)?;
            println!("{}: sealing key {id}", file.display());
            Ok(())
        }
        SealingKeyCommand::Show { at } => show(at),
    }
}

/// What a program gets to know of a key.
#[derive(Serialize)]
struct Shown {
    id: String,
    seals: bool,
}

fn show(at: &BesideArgs) -> Result<(), Failure> {
    let config: PartyConfig = settings::load(&at.config)?;
    let keys = SealingKeys::read(&config.party).map_err(Failure::configuration)?;
    let ids: Vec<KeyId> = keys.ids().collect();
    let shown = ids.iter().enumerate().map(|(place, id)| Shown {
        id: id.to_string(),
        seals: place == 0,
    });
    if at.shown.output == Format::Json {
        return output::json(&shown.collect::<Vec<_>>());
    }
    let rows = shown.map(|key| {
        let what = match key.seals {
            true => "seals and unseals",
            false => "unseals",
        };
        [key.id, what.to_owned()]
    });
    println!("{}", output::table(["key", "what it does"], rows));
    Ok(())
}
