//! The steps of a call: decode the request, check permissions and the call rate, run the operation,
//! and encode the answer.

use super::answer::{self, Answer, IntoAnswer as _};
use super::context::Context;
use super::contract::{HasTarget, Operation};
use super::fault_effect::{Effect, Subject, at_call};
use super::{permission, stream_ref};
use crate::error::Error;
use crate::wire::{self, Explained, Format, Shaped};
use crate::world::Point;
use bytes::Bytes;

/// Calls operation `O` with the body of a request, and returns the answer. `name` is the
/// operation's name.
pub(super) async fn call<O: HasTarget>(
    name: &'static str,
    mut context: Context,
    body: Bytes,
    format: Format,
) -> Result<Answer, Error> {
    let has_faults = context.engine.world.faults.is_armed();
    if has_faults {
        let passed = context.engine.world.pass(Point::Decode).await;
        passed.map_err(|_| Error::internal())?;
    }
    let input = read_input::<O>(&context, &body, format)?;
    permission::check::<O>(&context, name, &input)?;
    check_rate(&context, name, &body, format)?;
    drop(body);
    let effect = if has_faults {
        let subject = Subject::of::<O>(&context, &input);
        Box::pin(at_call(&mut context, name, subject)).await?
    } else {
        Effect::Run
    };
    if effect == Effect::Reset {
        return Ok(Answer::Lost);
    }
    let answer = run::<O>(&context, input, format).await;
    match effect {
        Effect::LoseAnswer => Ok(Answer::Lost),
        _ => answer,
    }
}

/// Runs operation `O` for a call that has passed all checks, and encodes the answer.
async fn run<O: HasTarget>(
    context: &Context,
    input: O::Input,
    format: Format,
) -> Result<Answer, Error> {
    let mut output = O::run(context, input).await?;
    let permit = answer::permit(&mut output, &context.engine.admission).await;
    Ok(output.into_answer(format, permit.map_err(|_| Error::unavailable())?))
}

/// Decodes the input of operation `O` from the body of a request.
pub(super) fn read_input<O: Operation>(
    context: &Context,
    body: &Bytes,
    format: Format,
) -> Result<O::Input, Error> {
    if O::READ_FAST
        && let Some(input) = wire::decode(format, body)
    {
        return Ok(input);
    }
    let shape = <O::Input as Shaped>::SHAPE;
    match wire::explain(format, body, shape, |input| {
        O::tolerates_missing(context, input)
    }) {
        Explained::Valid(input) => Ok(input),
        Explained::Unreadable => Err(Error::unreadable()),
        Explained::Mistyped(mismatch) => Err(Error::mistyped(mismatch.message)),
        Explained::Invalid(report) => Err(Error::invalid(report.message())),
    }
}

/// Counts the call against the call rate that the operation permits. Returns an error if the call
/// exceeds this rate. Only the strict profile limits call rates.
fn check_rate(context: &Context, name: &str, body: &[u8], format: Format) -> Result<(), Error> {
    let Some(rate) = context.engine.limits.calls.of(name) else {
        return Ok(());
    };
    let stream = stream_ref::stream_name(format, body);
    if context
        .engine
        .admits_call(&context.caller, rate, stream.as_deref())
    {
        return Ok(());
    }
    let account = context.caller.account;
    Err(match stream {
        Some(stream) => Error::stream_call_rate_exceeded(rate.name, &stream, account),
        None => Error::account_call_rate_exceeded(rate.name, account),
    })
}
