//! The parts that every page of the console has: the head, the navigation and the present time.

use super::head::head;
use super::parts::{self, Tone};
use super::visit::{Visit, link_in};
use crate::http::admin::Refused;
use crate::world::Clock;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

/// The sections of the console, in the order in which the navigation shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Streams,
    Queues,
    Mappings,
    Channels,
    Clock,
    Faults,
    Requests,
    Limits,
    Metrics,
}

/// The sections of the console with their names and paths, in the order in which the navigation
/// shows them.
const SECTIONS: &[(Section, &str, &str)] = &[
    (Section::Streams, "Streams", "/_minikin/"),
    (Section::Queues, "Queues", "/_minikin/console/queues"),
    (Section::Mappings, "Mappings", "/_minikin/console/mappings"),
    (Section::Channels, "Channels", "/_minikin/console/channels"),
    (Section::Requests, "Requests", "/_minikin/console/requests"),
    (Section::Faults, "Faults", "/_minikin/console/faults"),
    (Section::Clock, "Clock", "/_minikin/console/clock"),
    (Section::Limits, "Limits", "/_minikin/console/limits"),
    (Section::Metrics, "Metrics", "/_minikin/console/metrics"),
];

/// A page of the console, before it is rendered.
struct Page<'a> {
    visit: &'a Visit,
    section: Section,
    title: &'a str,
    content: Markup,
}

impl Page<'_> {
    /// Renders the page as a response with the given status.
    fn respond_with(self, status: StatusCode) -> Response {
        let html = self.html().into_string();
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (status, headers, html).into_response()
    }

    fn html(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(self.title))
                body {
                    a class="skip" href="#main" { "Skip to the content" }
                    header class="top" { (self.banner()) }
                    (self.navigation())
                    main id="main" tabindex="-1" { (self.content) }
                    div id="notice" class="notice" role="status" aria-live="polite" {}
                }
            }
        }
    }

    fn banner(&self) -> Markup {
        let clock = &self.visit.admin.engine.world.clock;
        let is_virtual = matches!(clock, Clock::Virtual(_));
        html! {
            a class="brand" href=(self.visit.link("/_minikin/")) { "minikin" }
            (self.scopes())
            div class="now" id="now" data-live {
                (parts::time(clock.now())) " UTC "
                @if is_virtual { (parts::badge(Tone::Busy, "virtual clock")) }
            }
        }
    }

    /// The account and region of the page, and links to all other accounts and regions that have
    /// streams.
    fn scopes(&self) -> Markup {
        let Visit { admin, scope, .. } = self.visit;
        let mut scopes = admin.engine.scopes();
        scopes.retain(|(other, _)| other != scope);
        let name = |scope: &crate::model::AccountRegion| {
            format!("{} · {}", scope.account, scope.region.as_str())
        };
        html! {
            @if scopes.is_empty() {
                span class="scope" { (name(scope)) }
            } @else {
                details class="scope menu" id="scopes" {
                    summary aria-label={ "Account and region: " (name(scope)) } { (name(scope)) }
                    ul {
                        @for (other, streams) in &scopes {
                            li { a href=(link_in(other, &admin.home, "/_minikin/")) {
                                (name(other)) " " span class="muted" { (streams) }
                            } }
                        }
                    }
                }
            }
        }
    }

    fn navigation(&self) -> Markup {
        html! {
            nav class="sections" aria-label="Sections" {
                ul {
                    @for (section, name, path) in SECTIONS {
                        li {
                            a href=(self.visit.link(path))
                                aria-current=[(*section == self.section).then_some("page")]
                                { (name) }
                        }
                    }
                }
            }
        }
    }
}

/// Answers with a page in the given section, with status 200.
pub(super) fn respond(visit: &Visit, section: Section, title: &str, content: Markup) -> Response {
    let page = Page {
        visit,
        section,
        title,
        content,
    };
    page.respond_with(StatusCode::OK)
}

/// Answers with a page about a refusal, with the status of the refusal.
pub(super) fn problem(visit: &Visit, refused: &Refused) -> Response {
    let Refused { status, text, .. } = refused;
    let content = html! {
        h1 { (status.canonical_reason().unwrap_or("Problem")) }
        p class="problem" role="alert" { (text) }
        p { a href=(visit.link("/_minikin/")) { "All streams" } }
    };
    let page = Page {
        visit,
        section: Section::Streams,
        title: "Problem",
        content,
    };
    page.respond_with(*status)
}
