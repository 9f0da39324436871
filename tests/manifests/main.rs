//! The manifests, held against what they promise: that every overlay is made, is what
//! Kubernetes takes, keeps to the restricted profile, lets through what the protocol needs
//! and nothing else, and configures the binary that lies beside it.
//!
//! ```text
//!   deploy/kubernetes/overlays/X ──kubectl kustomize──▶ resources ─┬─▶ schemas
//!                                                                  ├─▶ restricted
//!                                                                  ├─▶ references, network
//!                                                                  └─▶ entente --check-config
//! ```
//!
//! No cluster: what a scheduler, a CNI and a kubelet make of all that is theirs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../house/mod.rs"]
mod house;

mod alerts;
mod configurations;
mod network;
mod overlay;
mod references;
mod restricted;
mod runbooks;
mod schemas;
