//! ListShards: lists one page of a stream's shards, sorted by id and filtered by time or position.
use super::prelude::*;
use crate::engine::Stream;
use crate::model::{Shard, StreamArn, StreamStatus};
use std::sync::Arc;

pub(super) struct ListShards;

input! { pub struct Input {
    "MaxResults" => max_results: Option<ListShardsInputLimit>,
    "ExclusiveStartShardId" => exclusive_start: Option<ShardIdText>,
    "StreamName" => name: Option<StreamName>,
    "StreamARN" => arn: Option<StreamARN>,
    "StreamId" => _id: Ignored<StreamId>,
    "NextToken" => token: Option<NextToken>,
    "StreamCreationTimestamp" => created: Option<Timestamp>,
    "ShardFilter" => filter: Option<ShardFilter>,
} }

input! {
    /// The filter in a ListShards request. It selects the shards to list.
    pub struct ShardFilter {
        "Type" => kind: ShardFilterType,
        "ShardId" => shard_id: Option<ShardIdText>,
        "Timestamp" => at: Option<Timestamp>,
    }
}

output! { pub struct Output {
    "NextToken" => token: Option<String>,
    "Shards" => shards: Vec<ShardDescription>,
} }
document!(Output);

const TOKEN: &str = "shards";

/// The parameters of one page of a listing of shards.
struct Listing {
    stream: Arc<Stream>,
    filter: Filter,
    /// The text after which the page begins: the page contains only shards with a greater id. Ids
    /// are compared as strings. `None` if the page begins with the first shard.
    after: Option<String>,
}

/// A filter of ListShards. Its members were checked against the type of the filter.
#[derive(Clone, Copy)]
enum Filter {
    All,
    AtTrimHorizon,
    AtLatest,
    At(Timestamp),
    From(Timestamp),
}

impl Operation for ListShards {
    type Input = Input;
    type Output = Output;
    const SHARED: bool = true;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let listing = match &input.token {
            Some(token) => next_page(context, &input, token)?,
            None => first_page(context, &input)?,
        };
        let now = context.engine.world.clock.now();
        let page = page_size(input.max_results.map(|limit| limit.0), limits::SHARDS_PAGE);
        let listed = listing.stream.listed_shards(now);
        let earliest_s = earliest_time_s(&listing.stream, &listed, now);
        let after = listing.after.as_deref();
        let mut wanted = listed
            .iter()
            .filter(|shard| is_after(shard.id, after) && listing.filter.lists(shard, earliest_s));
        let shards: Vec<_> = wanted
            .by_ref()
            .take(page)
            .map(ShardDescription::of)
            .collect();
        let more = wanted.next().is_some();
        let last = shards.last().filter(|_| more);
        let token = last.map(|last| listing.token(context, &last.id.0.to_string()));
        Ok(Output { token, shards })
    }
}

impl HasTarget for ListShards {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        let arn = match &input.token {
            Some(token) => token_fields(context, token)?.0,
            None if input.names_no_stream() => return Err(Error::nothing_to_list()),
            None => context.resolve(&input.stream_ref())?,
        };
        Ok(Target::Stream(arn))
    }
}

impl Input {
    /// Returns the stream that the request names. `Input` has no member of the type `StreamRef`,
    /// because a request with a token names no stream.
    fn stream_ref(&self) -> StreamRef {
        StreamRef::new(self.name.clone(), self.arn.clone())
    }

    fn names_no_stream(&self) -> bool {
        self.name.is_none() && self.arn.is_none()
    }
}

/// Derives the parameters of the first page of a listing from `input`, the request for the first
/// page.
fn first_page(context: &Context, input: &Input) -> Result<Listing, Error> {
    if input.names_no_stream() {
        return Err(Error::nothing_to_list());
    }
    let stream = context.stream(&input.stream_ref())?;
    check_stream(&stream, input.created)?;
    let given = input.exclusive_start.as_ref().map(ToString::to_string);
    let (filter, from_filter) = match &input.filter {
        None => (Filter::All, None),
        Some(_) if given.is_some() => {
            return Err(Error::shard_filter_with_start());
        }
        Some(filter) => {
            let now = context.engine.world.clock.now();
            filter.read(now, stream.horizon(now))?
        }
    };
    Ok(Listing {
        stream,
        filter,
        after: given.or(from_filter),
    })
}

/// Derives the parameters of a later page of a listing from `token`, the token of this page. A
/// request with a token may contain no other member than the page size.
fn next_page(context: &Context, input: &Input, token: &NextToken) -> Result<Listing, Error> {
    let given = [
        ("StreamName", input.name.is_some()),
        ("StreamARN", input.arn.is_some()),
        ("ExclusiveStartShardId", input.exclusive_start.is_some()),
        // The service's message says StreamCreationEpoch for StreamCreationTimestamp.
        ("StreamCreationEpoch", input.created.is_some()),
        ("ShardFilter", input.filter.is_some()),
    ];
    if let Some((member, _)) = given.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::token_with(member));
    }
    let (arn, [identity, filter, after]) = token_fields(context, token)?;
    let found = context.engine.find(&arn.scope, &arn.name);
    let same = found.filter(|stream| stream.identity.to_string() == identity);
    let stream = same.ok_or_else(|| Error::stream_not_found(&arn))?;
    check_stream(&stream, None)?;
    let filter = Filter::from_text(&filter).ok_or_else(Error::token_invalid)?;
    Ok(Listing {
        stream,
        filter,
        after: Some(after),
    })
}

/// Reads the fields of a ListShards token. Returns the ARN of the listed stream, followed by three
/// texts: the stream's identity number, the filter, and the shard id after which the page begins.
fn token_fields(context: &Context, token: &NextToken) -> Result<(StreamArn, [String; 3]), Error> {
    let [arn, identity, filter, after] = open_token(context, TOKEN, token)?;
    let arn = StreamArn::parse(&arn).ok_or_else(Error::token_invalid)?;
    Ok((arn, [identity, filter, after]))
}

fn check_stream(stream: &Stream, created: Option<Timestamp>) -> Result<(), Error> {
    if created.is_some_and(|given| given.seconds() != stream.created.seconds()) {
        return Err(Error::stream_not_found(&stream.arn));
    }
    match stream.look(|state| state.status) {
        status @ (StreamStatus::Creating | StreamStatus::Deleting) => {
            Err(Error::stream_not_active(&stream.arn, status))
        }
        StreamStatus::Active | StreamStatus::Updating => Ok(()),
    }
}

/// Returns the earliest time that a filter can select, in seconds since 1970: the stream's trim
/// horizon or the creation time of the oldest listed shard, whichever is later.
fn earliest_time_s(stream: &Stream, listed: &[Shard], now: Timestamp) -> u64 {
    let first = listed
        .iter()
        .map(|shard| shard.created_s)
        .min()
        .unwrap_or_default();
    let horizon = stream.horizon(now).seconds();
    u64::try_from(horizon).unwrap_or_default().max(first)
}

impl Listing {
    fn token(&self, context: &Context, last: &str) -> String {
        let stream = &self.stream;
        let fields = [
            stream.arn.to_string(),
            stream.identity.to_string(),
            self.filter.to_text(),
            last.to_owned(),
        ];
        seal_token(context, TOKEN, fields.into())
    }
}

impl ShardFilter {
    /// Checks the members of the filter. Also returns the shard id after which the listing begins,
    /// or `None` if the filter has no shard id. A recording from September 2026 shows that the
    /// service accepts a Timestamp with AT_LATEST, and begins the listing after a ShardId
    /// (radkawar/stackd, testdata/aws/kinesis/topology.json). The same behaviour for the other
    /// types is a choice.
    fn read(&self, now: Timestamp, horizon: Timestamp) -> Result<(Filter, Option<String>), Error> {
        use ShardFilterType as Kind;
        let required = |member: &str| Error::shard_filter_needs(member, self.kind.as_str());
        let at = || match self.at {
            None => Err(required("Timestamp")),
            Some(at) if at > now => Err(Error::shard_filter_in_future()),
            Some(at) if at < horizon => Err(Error::shard_filter_too_old()),
            Some(at) => Ok(at),
        };
        let filter = match self.kind {
            Kind::AfterShardId if self.shard_id.is_none() => return Err(required("ShardId")),
            Kind::AfterShardId | Kind::FromTrimHorizon => Filter::All,
            Kind::AtTrimHorizon => Filter::AtTrimHorizon,
            Kind::AtLatest => Filter::AtLatest,
            Kind::AtTimestamp => Filter::At(at()?),
            Kind::FromTimestamp => Filter::From(at()?),
        };
        Ok((filter, self.shard_id.as_ref().map(ToString::to_string)))
    }
}

impl Filter {
    /// Returns true if the filter selects the shard. `earliest_s` is the result of
    /// [`earliest_time_s`]. It replaces a timestamp of the filter that is earlier. The reason is
    /// that `earliest_s` can increase between the requests for two pages.
    fn lists(self, shard: &Shard, earliest_s: u64) -> bool {
        let from = |moment_s: u64| shard.closed_s.is_none_or(|closed_s| closed_s >= moment_s);
        let at = |moment_s: u64| shard.created_s <= moment_s && from(moment_s);
        let second = |moment: Timestamp| {
            u64::try_from(moment.seconds())
                .unwrap_or_default()
                .max(earliest_s)
        };
        match self {
            Self::All => true,
            Self::AtLatest => shard.is_open(),
            Self::AtTrimHorizon => at(earliest_s),
            Self::At(moment) => at(second(moment)),
            Self::From(moment) => from(second(moment)),
        }
    }

    fn to_text(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::AtTrimHorizon => "horizon".to_owned(),
            Self::AtLatest => "latest".to_owned(),
            Self::At(moment) => format!("at {}", moment.millis()),
            Self::From(moment) => format!("from {}", moment.millis()),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let moment = |text: &str| text.parse().ok().map(Timestamp::from_millis);
        Some(match text.split_once(' ') {
            None if text == "all" => Self::All,
            None if text == "horizon" => Self::AtTrimHorizon,
            None if text == "latest" => Self::AtLatest,
            Some(("at", text)) => Self::At(moment(text)?),
            Some(("from", text)) => Self::From(moment(text)?),
            _ => return None,
        })
    }
}
