//! A party's journal, unsealed by its description and by nothing of the party's
//! own code: what is found in it is what stands on the disk.

use std::{fs, path::Path};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use entente_wire::Digest;
use num_bigint::BigUint;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const CHECKPOINTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("checkpoints");
const KEYS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("keys");

/// Opens what AES-256-GCM sealed.
fn open(key: &[u8], nonce: &[u8], about: &[u8], sealed: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
    let mut value = sealed.to_vec();
    let opened = key.open_in_place(nonce, Aad::from(about), &mut value);
    opened.unwrap().to_vec()
}

/// The newest checkpoint in a journal that nobody writes to.
pub(crate) fn checkpoint(journal: &Path, sealing_key: &Path) -> Vec<u8> {
    let text = fs::read_to_string(sealing_key).unwrap();
    let sealing_key = hex::decode(text.trim_end()).unwrap();
    let id = Digest::of("entente sealing key", &[&sealing_key]);
    let id = &id.as_bytes()[..8];
    // A copy: to open a journal is to write to it.
    let copy = journal.with_extension("copy");
    fs::copy(journal, &copy).unwrap();
    let database = Database::open(&copy).unwrap();
    let read = database.begin_read().unwrap();
    let about = read.open_table(ABOUT).unwrap();
    let session = about.get("session").unwrap().unwrap().value().to_vec();
    let checkpoints = read.open_table(CHECKPOINTS).unwrap();
    let last = checkpoints.last().unwrap();
    let (done, row) = last
        .map(|(done, row)| (done.value(), row.value().to_vec()))
        .unwrap();

    let (opening, nonce) = (&row[..4], &row[..12]);
    let keys = read.open_table(KEYS).unwrap();
    let number = u32::from_be_bytes(opening.try_into().unwrap());
    let wrapped = keys.get(number).unwrap().unwrap().value().to_vec();
    assert_eq!(&wrapped[..8], id, "wrapped by another sealing key");
    let bound_to = [b"entente data key", id, &session, opening].concat();
    let data_key = open(&sealing_key, &wrapped[8..20], &bound_to, &wrapped[20..]);

    let title: &[u8] = b"entente row of a journal 2";
    let place = [title, &session, &[0], &done.to_be_bytes(), &[0]].concat();
    let value = open(&data_key, nonce, &place, &row[12..]);
    fs::remove_file(copy).unwrap();
    value
}

/// The primes of the 2048-bit key that a checkpoint holds, big-endian: 529 bytes
/// behind their number, a layout and then twice (cofactor, prime, generator).
pub(crate) fn primes(checkpoint: &[u8]) -> [Vec<u8>; 2] {
    let length = 529_u64.to_be_bytes();
    let starts = checkpoint.windows(8).enumerate();
    let starts = starts.filter(|(_, window)| *window == length);
    let keys = starts.filter_map(|(at, _)| checkpoint.get(at + 8..at + 8 + 529));
    let mut pairs = keys.map(|key| [&key[9..137], &key[273..401]]);
    let pair = pairs.find(|pair| pair.iter().all(|number| is_prime(number)));
    pair.expect("a key").map(<[u8]>::to_vec)
}

/// Fermat's test, which a number of this size at a random place does not pass.
fn is_prime(number: &[u8]) -> bool {
    let (p, base) = (BigUint::from_bytes_be(number), BigUint::from(2_u8));
    let one = BigUint::from(1_u8);
    p.bits() == 1024 && p.bit(0) && base.modpow(&(&p - &one), &p) == one
}
