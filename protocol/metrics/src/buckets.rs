//! Edges of buckets, and why they lie there.

/// Edges for a step of a protocol. From 1 ms (a small cut at 2048 bits, or a
/// step without cryptography) to 4 minutes (a wide one at 4096 bits, unpacked).
/// Each edge is twice the last: a doubled key costs about eight times as much,
/// so it moves a step by three buckets and not off the scale, and a quantile
/// read from them is at most a factor of 2 off.
pub(crate) const STEP_BUCKETS: &[f64] = &[
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
    8.192, 16.384, 32.768, 65.536, 131.072, 262.144,
];

/// Edges for an API request. An answer from memory takes under 1 ms, one that
/// waits for the disk 5 to 50 ms. An answer that is held back takes up to
/// 30 s by design: with an edge at 35 s, what lies above it was not designed.
pub(crate) const API_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 35.0,
];
