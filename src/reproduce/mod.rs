//! What the paper measured, measured again.

#[allow(
    dead_code,
    unused_imports,
    reason = "what calls them is not in this room yet"
)]
mod baselines;
