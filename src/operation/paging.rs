//! The pages of listings: page sizes, and the opaque tokens of next pages.

use super::context::Context;
use super::shapes::NextToken;
use crate::error::Error;
use crate::model::PageToken;

/// Returns the number of items on a page: the limit in the request, but at most `most`. Returns
/// `most` if the request has no limit.
pub(super) fn page_size(limit: Option<i32>, most: usize) -> usize {
    limit.map_or(most, |limit| {
        usize::try_from(limit).unwrap_or_default().min(most)
    })
}

/// Creates the token of a listing's next page. `kind` names the listing. `fields` describe the item
/// after which the next page begins.
pub(super) fn seal_token(context: &Context, kind: &str, fields: Vec<String>) -> String {
    let world = &context.engine.world;
    let fields = std::iter::once(kind.to_owned()).chain(fields).collect();
    PageToken {
        issued: world.clock.now(),
        fields,
    }
    .encode(world.random.bytes())
}

/// Returns the fields of a token that was created for the listing `kind`. Refuses an expired token,
/// and every text that is not a token of this listing.
pub(super) fn open_token<const N: usize>(
    context: &Context,
    kind: &str,
    token: &NextToken,
) -> Result<[String; N], Error> {
    let token = PageToken::decode(token.as_str()).ok_or_else(Error::token_invalid)?;
    if token.expired(context.engine.world.clock.now()) {
        return Err(Error::token_expired());
    }
    let mut fields = token.fields.into_iter();
    if fields.next().as_deref() != Some(kind) {
        return Err(Error::token_invalid());
    }
    let fields: Vec<_> = fields.collect();
    <[String; N]>::try_from(fields).map_err(|_| Error::token_invalid())
}
