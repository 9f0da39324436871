//! A message as its receiver reads it, written again: by the vectors, and by the
//! fuzzer.

use entente_wire::{DecodeError, Message, read_kind};

use super::messages::*;

/// The message that these bytes are, where the asking side has so many ids and the
/// answering side so many, as bytes.
///
/// # Errors
/// [`DecodeError`]: they are no message that its receiver would take.
pub fn written_again(asking: u64, answering: u64, payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    Ok(match name_of(read_kind(payload)?) {
        Some("row_list") => RowList::read(&(), payload)?.to_payload(),
        Some("row_list_answer") => RowListAnswer::read(&(), payload)?.to_payload(),
        Some("row_list_proof") => RowListProof::read(&(), payload)?.to_payload(),
        Some("blinded_ids") => BlindedIds::read(&asking, payload)?.to_payload(),
        Some("blinded_both") => BlindedBoth::read(&(asking, answering), payload)?.to_payload(),
        Some("blinded_back") => BlindedBack::read(&answering, payload)?.to_payload(),
        Some("rows_compared") => RowsCompared::read(&(), payload)?.to_payload(),
        _ => {
            return Err(DecodeError::Invalid {
                what: "message",
                why: "of no kind in the table",
            });
        }
    })
}
