//! The stream filter and the page tokens of ListQueues and ListChannels.

use super::context::Context;
use super::paging::{open_token, seal_token};
use super::present::present;
use super::shapes::{NextToken, StreamFilter, StreamFilterList};
use super::stream_details::whole_seconds;
use crate::engine::Stream;
use crate::error::Error;
use crate::model::StreamArn;
use crate::wire::output;
use crate::world::Timestamp;

output! {
    /// The stream to which a listed queue or channel belongs.
    pub struct StreamIdentifier {
        "StreamARN" => arn: String,
        "StreamCreationTimestamp" => created: Timestamp,
    }
}
present!(StreamIdentifier);

impl StreamIdentifier {
    pub(super) fn of(stream: &Stream) -> Self {
        Self {
            arn: stream.arn.to_string(),
            created: whole_seconds(stream.created),
        }
    }
}

/// The filter of a listing of queues or channels. The filter holds streams, each with its creation
/// time. The queues or channels of these streams are listed. The ARN of a stream is `None` if
/// the ARN cannot be parsed. The creation time is `None` if the request does not give it. An empty
/// filter admits all streams.
pub(super) struct StreamFilters(Vec<(Option<StreamArn>, Option<Timestamp>)>);

impl StreamFilters {
    /// Creates the filter that a request gives. An ARN that cannot be parsed admits no stream.
    pub(super) fn of(given: Option<&StreamFilterList>) -> Self {
        let streams = given.map(|given| given.0.as_slice()).unwrap_or_default();
        let stream =
            |stream: &StreamFilter| (StreamArn::parse(stream.arn.as_str()), stream.created);
        Self(streams.iter().map(stream).collect())
    }

    /// True if the queues or channels of `stream` are listed, because the filter is empty or names
    /// the stream. A creation time in the filter must be equal to the creation time that answers
    /// contain. This time is a whole second, and the comparison is exact to the millisecond. The
    /// meaning of the filter is a choice.
    pub(super) fn admits(&self, stream: &Stream) -> bool {
        let mut wanted = self.0.iter();
        self.0.is_empty()
            || wanted.any(|(arn, created)| {
                let shown = whole_seconds(stream.created).millis();
                let same = created.is_none_or(|created| created.millis() == shown);
                same && arn.as_ref() == Some(&stream.arn)
            })
    }

    /// Creates the token of the page that begins after the queue or channel called `last`. `kind`
    /// names the listing.
    pub(super) fn token(&self, context: &Context, kind: &str, last: &str) -> String {
        seal_token(context, kind, vec![last.to_owned(), self.text()])
    }

    /// Returns the name of the queue or channel after which the page of `token` begins, or `None`
    /// without a token. A token is valid only together with the filter of the first page.
    pub(super) fn after(
        &self,
        context: &Context,
        kind: &str,
        token: Option<&NextToken>,
    ) -> Result<Option<String>, Error> {
        let Some(token) = token else {
            return Ok(None);
        };
        let [last, filtered] = open_token(context, kind, token)?;
        match filtered == self.text() {
            true => Ok(Some(last)),
            false => Err(Error::token_invalid()),
        }
    }

    fn text(&self) -> String {
        let stream = |(arn, created): &(Option<StreamArn>, Option<Timestamp>)| {
            let arn = arn.as_ref().map(ToString::to_string).unwrap_or_default();
            let created = created.map(|created| created.millis().to_string());
            format!("{arn} {};", created.unwrap_or_default())
        };
        self.0.iter().map(stream).collect()
    }
}
