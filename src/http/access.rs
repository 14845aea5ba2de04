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

/// The settings that decide who may call the service, and as which account.
#[derive(Debug)]
pub struct AccessSettings {
    /// The check of request signatures: of their structure, of their value, or none.
    pub authentication: Authentication,
    /// Credentials that signatures are verified against. Used only if `authentication` is `Verify`.
    pub credentials: Vec<Credential>,
    /// Origins of the web pages whose scripts may call the service.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Identity of each access key. None if policies are not enforced.
    pub identities: Option<Identities>,
    /// Account and region of a request whose credential names none.
    pub default_scope: AccountRegion,
}

/// Finds the caller of a request and checks its signature.
#[derive(Debug)]
pub(super) struct Access {
    authentication: Authentication,
    /// None if signatures are not verified.
    verifier: Option<Verifier>,
    scopes: Scopes,
    /// None if policies are not enforced.
    identities: Option<Identities>,
}

/// The caller of a request.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) scope: AccountRegion,
    /// The identity that policies are evaluated for. None if policies are not enforced.
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

    /// Finds the account, the region and the identity that call `service`. Verifies the signature
    /// if the settings demand it. The machine's clock measures the age of the signature, even when
    /// the emulator's clock is virtual, because clients sign with the time of their own machine.
    ///
    /// # Errors
    /// Returns the service's error if the signature is missing, incomplete or wrong.
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
        // An access key without an identity in the policies acts as the root of its account.
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
