//! Mutual TLS over loopback sockets, and the files it starts from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod consortium;
mod handshake;
mod load;
mod pair;
mod pki;
mod reload;
mod revoked;
mod signing;
