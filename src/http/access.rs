//! Access to the service's operations: the caller of a request, and its signature.

use super::connection::Client;
use super::credentials::{Scopes, access_key, credential};
use super::signature::Verifier;
use crate::error::Error;
use crate::model::{AccountRegion, Identities, Principal};
use crate::operation::Requester;
use crate::options::{AllowedOrigin, Authentication, Credential};
use crate::world::Clock;
use hyper::http::request::Parts;
use std::sync::Arc;

/// The settings of the access to the service.
#[derive(Debug)]
pub struct AccessSettings {
    /// The part of a signature that is checked.
    pub authentication: Authentication,
    /// The known credentials, where signatures are verified.
    pub credentials: Vec<Credential>,
    /// The origins of web pages that may call the service.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The identity of each access key, where policies are enforced.
    pub identities: Option<Identities>,
    /// The account and region of requests whose credential names none.
    pub default_scope: AccountRegion,
}

/// Finds the caller of a request and checks its signature.
#[derive(Debug)]
pub(super) struct Access {
    authentication: Authentication,
    /// Present where signatures are verified.
    verifier: Option<Verifier>,
    scopes: Scopes,
    /// Present where policies are enforced.
    identities: Option<Identities>,
}

/// The caller of a request.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) scope: AccountRegion,
    /// The identity that policies apply to, where they are enforced.
    pub(super) requester: Option<Requester>,
}

impl Access {
    pub(super) fn new(settings: AccessSettings) -> Self {
        let authentication = settings.authentication;
        Self {
            authentication,
            verifier: (authentication == Authentication::Verify)
                .then(|| Verifier::new(settings.credentials)),
            scopes: Scopes::new(settings.default_scope),
            identities: settings.identities,
        }
    }

    /// The caller of a request to `service`, as the scope of its credential names it. The age of a
    /// signature is measured by the machine's time: clients sign by their own clock, also where the
    /// service's clock is virtual.
    ///
    /// # Errors
    /// The service's refusal of the signature.
    pub(super) fn caller(
        &self,
        head: &Parts,
        body: &[u8],
        client: Client,
        service: &'static str,
        clock: &Clock,
    ) -> Result<Caller, Error> {
        let credential = credential(head, self.authentication)?;
        if let Some(verifier) = &self.verifier {
            verifier.check_for(service, head, body, clock.wall_time())?;
        }
        let credential = credential.as_deref();
        let Some(identities) = &self.identities else {
            let scope = self.scopes.of(credential, None);
            let requester = None;
            return Ok(Caller { scope, requester });
        };
        let known = identities.find(access_key(credential));
        let account = known.map(|known| known.account());
        let scope = self.scopes.of(credential, account);
        // An access key that the policies do not name acts as the root of its account.
        let root = || Arc::new(Principal::root(scope.account, scope.region.partition()));
        let requester = Requester {
            principal: known.cloned().unwrap_or_else(root),
            address: client.address.ip(),
            over_tls: client.over_tls,
        };
        let requester = Some(requester);
        Ok(Caller { scope, requester })
    }
}
