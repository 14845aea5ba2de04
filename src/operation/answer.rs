//! The answer of an operation: one encoded body, or a stream of events.

use super::events::Events;
use crate::admission::{Admission, BudgetExhausted, BudgetPermit};
use crate::limits;
use crate::wire::Format;
use std::sync::Arc;

/// An encoded answer, ready to be sent.
#[derive(Debug)]
pub enum Answer {
    /// The encoded body, and the body's permit of the in-flight budget. The permit is `None` if the
    /// permit of the request suffices for the body, too. The body is empty for an operation without
    /// output.
    Whole(Vec<u8>, Option<BudgetPermit>),
    /// A stream of event frames. Each frame is encoded when the connection can send it.
    Events(Box<Events>),
    /// The client gets no answer, because a fault rule closes the connection instead.
    Lost,
}

/// An output that can be encoded as an answer.
pub trait IntoAnswer {
    /// Names of the output's members in the service model.
    const MEMBERS: &'static [&'static str];

    /// Returns the estimated size of the encoded body in bytes, for the in-flight budget. Returns 0
    /// for a body that is always small.
    fn size_bytes(&self) -> usize;

    /// Removes the permit for the answer from the output, and returns the permit. `None` unless a
    /// read from disk has already acquired this permit.
    fn take_permit(&mut self) -> Option<BudgetPermit> {
        None
    }

    /// Encodes the output in `format`. The answer holds `permit` until its last byte is sent.
    fn into_answer(self, format: Format, permit: Option<BudgetPermit>) -> Answer;
}

/// Acquires the permit for the answer that is encoded from `output`. `None` if the permit of the
/// request suffices for the answer, too.
///
/// # Errors
/// The in-flight budget stays exhausted for longer than a request may wait.
pub(super) async fn permit(
    output: &mut impl IntoAnswer,
    admission: &Arc<Admission>,
) -> Result<Option<BudgetPermit>, BudgetExhausted> {
    let bytes = output.size_bytes() as u64;
    let Some(mut permit) = output.take_permit() else {
        return admission.answer(bytes).await;
    };
    // Do not wait for another permit here. An output that was read from disk already has its
    // permit. This output may still hold a permit to read from the disk, and other reads wait for
    // that permit.
    let is_needed = permit.bytes() > 0 || bytes > limits::SMALL_BYTES;
    if is_needed {
        permit.correct(bytes);
    }
    Ok(is_needed.then_some(permit))
}

impl<T: Document> IntoAnswer for T {
    const MEMBERS: &'static [&'static str] = <T as Document>::MEMBERS;

    fn size_bytes(&self) -> usize {
        Document::size_bytes(self)
    }

    fn take_permit(&mut self) -> Option<BudgetPermit> {
        Document::take_permit(self)
    }

    fn into_answer(self, format: Format, permit: Option<BudgetPermit>) -> Answer {
        Answer::Whole(self.encode(format), permit)
    }
}

/// An output that is encoded as one body.
pub trait Document {
    /// Names of the output's members in the service model.
    const MEMBERS: &'static [&'static str];

    /// Returns the estimated size of the encoded body in bytes, for the in-flight budget. Returns 0
    /// for a body that is always small.
    fn size_bytes(&self) -> usize {
        0
    }

    /// Removes the permit for the answer from the output, and returns the permit. `None` unless a
    /// read from disk has already acquired this permit.
    fn take_permit(&mut self) -> Option<BudgetPermit> {
        None
    }

    /// Encodes the body in `format`. The body is empty for an operation without output.
    fn encode(&self, format: Format) -> Vec<u8>;
}

/// Implements `Document` for a structure that `output!` declares.
macro_rules! document {
    ($name:ident) => {
        impl $crate::operation::answer::Document for $name {
            const MEMBERS: &'static [&'static str] = Self::MEMBERS;

            fn encode(&self, format: $crate::wire::Format) -> Vec<u8> {
                $crate::wire::encode(format, self)
            }
        }
    };
}

pub(super) use document;

/// The output of an operation that returns nothing. Its body is empty in every format.
#[derive(Debug)]
pub struct Nothing;

impl Document for Nothing {
    const MEMBERS: &'static [&'static str] = &[];

    fn encode(&self, _format: Format) -> Vec<u8> {
        Vec::new()
    }
}
