//! Finds the caller of a request, and checks the signature of the request.

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

/// The settings of the access to the service: signatures, credentials, origins and policies.
#[derive(Debug)]
pub struct AccessSettings {
    /// The strictness of the check of signatures: no check, a check that each signature is
    /// complete, or a check that it is complete and correct.
    pub authentication: Authentication,
    /// The credentials that signatures are verified against, if `authentication` is `Verify`.
    pub credentials: Vec<Credential>,
    /// Origins of the web pages whose scripts may call the service.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The identity that each access key has in the file of policies. None if policies are not
    /// enforced.
    pub identities: Option<Identities>,
    /// The account and region of a request whose credential names no account or region.
    pub default_scope: AccountRegion,
}

/// Finds the caller of a request, and checks the request's signature.
#[derive(Debug)]
pub(super) struct Access {
    authentication: Authentication,
    /// Verifies signatures. None if signatures are not verified.
    verifier: Option<Verifier>,
    scopes: Scopes,
    /// The identity that each access key has in the file of policies. None if policies are not
    /// enforced.
    identities: Option<Identities>,
}

/// The account and region of a request, and the identity of its sender.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) scope: AccountRegion,
    /// The identity of the sender, for the evaluation of policies. None if policies are not
    /// enforced.
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

    /// Finds the account and region of a request to `service`, and the identity of its sender.
    /// Verifies the signature of the request if the settings demand it. The age of the signature is
    /// measured by the machine's clock, even if `clock` is virtual, because clients sign with the
    /// time of their own machine.
    ///
    /// # Errors
    /// The service's error for a signature that is missing, incomplete or wrong.
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
        // An access key that the file of policies does not name acts as the root of its account.
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
