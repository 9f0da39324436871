//! Edges of buckets, and why they lie there.

/// Edges for a step of a protocol, from 1 ms to 4 minutes.
///
/// Each edge is twice the last: a doubled key costs about eight times as much,
/// so it moves a step by three buckets and not off the scale, and a quantile
/// read from them is at most a factor of 2 off.
///
/// Seen in demonstrations at 2048 bits on a busy machine of two cores:
///
/// | | irises, 4-5-3, batch 16 | digits, LeNet-5, batch 16 |
/// |---|---|---|
/// | steps without cryptography | below 1 ms | below 1 ms; the network below the cut 8 to 512 ms |
/// | products, and small decryptions | 1 to 128 ms | 16 to 512 ms |
/// | the dearest decryption | 4 to 128 ms | 0.5 to 2 s |
/// | the first product, with tables | 1 to 2 s | 2 to 4 s |
///
/// Batches of 128 and keys of 4096 bits take up to sixty times as much, which is
/// the upper end.
pub(crate) const STEP_BUCKETS: &[f64] = &[
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
    8.192, 16.384, 32.768, 65.536, 131.072, 262.144,
];

/// Edges for an API request. An answer from memory takes under 1 ms, one that
/// waits for the disk 5 to 50 ms (2.5 to 100 ms while parties compute beside it).
///
/// What is held back takes its time by design: a party asks to be held for 10 s, and
/// of the syncs that were seen three in four took that and some milliseconds. With an
/// edge closely above, a median that is what it should be is read as that, and not as
/// anything up to the next edge. Nothing is held for more than 30 s: what lies above
/// 35 s was not designed.
pub(crate) const API_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 11.0, 20.0, 35.0,
];
