//! The sign-in of a browser that is on another machine or on the host of a container. The user
//! enters the admin token. The browser then presents the token as a cookie in each request to
//! minikin's own paths.

use super::fields::Fields;
use super::head::head;
use crate::http::admin::{Admin, OwnBody, TOKEN_COOKIE};
use crate::http::signature::is_equal;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{DOCTYPE, Markup, html};

/// Answers with the page for a browser that has no access. `text` is the reason that the page
/// shows.
pub(super) fn page(admin: &Admin, text: &str) -> Response {
    let content = html! {
        h1 { "minikin" }
        p { (text) }
        @if admin.token.is_some() { (form()) } @else {
            p { "Start minikin with an admin token to open the console from here:" }
            pre class="command" tabindex="0" { code { "minikin --admin-token TOKEN" } }
        }
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head("Sign in"))
            body class="alone" { main id="main" { section class="card" { (content) } } div id="notice" class="notice" role="status" {} }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::FORBIDDEN, headers, page.into_string()).into_response()
}

fn form() -> Markup {
    html! {
        form method="post" action="/_minikin/console/sign-in" class="stack" data-plain {
            label { span { "Admin token (--admin-token)" }
                input name="token" type="password" required autocomplete="current-password"; }
            button class="primary" { "Sign in" }
        }
    }
}

/// Checks the admin token in the form, and sets a cookie with the token. Scripts cannot read the
/// cookie, and the browser does not send the cookie with the requests of other sites' pages.
pub(super) async fn sign_in(State(admin): State<Admin>, body: OwnBody) -> Response {
    let given = Fields::read(&body.bytes).take("token").unwrap_or_default();
    match &admin.token {
        Some(token) if is_equal(token.expose(), &given) => {
            let value: String = form_urlencoded::byte_serialize(given.as_bytes()).collect();
            let value = value.replace('+', "%20");
            let cookie =
                format!("{TOKEN_COOKIE}={value}; Path=/_minikin; HttpOnly; SameSite=Strict");
            ([(header::SET_COOKIE, cookie)], Redirect::to("/_minikin/")).into_response()
        }
        _ => page(&admin, "This is not the admin token."),
    }
}
