//! The queue beside one that looks at everything each time, and what it
//! promises.
#![allow(clippy::unwrap_used)]

mod hall;
mod promises;
mod same_as_naive;

use hall::{Hall, Job};
