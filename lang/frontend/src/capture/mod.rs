//! What an event handler reads of the target, worked out before it runs, so that it can be captured at the hit.

mod plan;

pub use plan::{
    Capture, CaptureId, CaptureKind, MAX_BYTES, MAX_CAPTURES, MAX_MERGED, MAX_PIECES, MAX_VALUES,
    Needs, Piece, Plan, Requirement, Step, Update, UpdateKind, Value, ValueId,
};
