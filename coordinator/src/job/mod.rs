//! A job as the coordinator keeps it: its state and table, its record, the
//! change of a record, and the view that others get.

mod change;
mod record;
mod sides;
mod state;
mod submission;
mod view;
mod why;

pub use change::{Change, IllegalTransition};
pub use record::{FailureRecord, JobRecord, SideStatus};
pub use sides::Sides;
pub use state::{JobState, UnknownState};
pub use submission::{IdempotencyKey, KeyError, Submission};
pub use view::{JobView, ModelView, PartyView, SideView};
pub use why::{Behind, Reason, Why, Word};
