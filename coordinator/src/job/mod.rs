//! A job as the coordinator keeps it: its state and table, its record, the
//! change of a record, and the view that others get.

mod approval;
mod attempt;
mod change;
mod lack;
mod log;
mod priority;
mod record;
mod sides;
mod state;
mod submission;
mod tenure;
mod view;
mod why;

pub use approval::{Approval, Rejection};
pub use attempt::Attempt;
pub use change::{Change, IllegalTransition};
pub use lack::{Lack, RoomKind};
pub use log::{Happened, Happening, LogEntry};
pub use priority::{Priority, UnknownPriority};
pub(crate) use record::FIRST_WIRE_VERSION;
pub use record::{FailureRecord, JobRecord, SideStatus};
pub use sides::Sides;
pub use state::{JobState, UnknownState};
pub use submission::{IdempotencyKey, KeyError, Submission};
pub use tenure::Tenure;
pub use view::{ApprovalView, DrainView, JobView, ModelView, PartyView, SideView};
pub use why::{Behind, InLine, Reason, Why, Word};
