//! HTML forms that send an action of the console.

use super::visit::Visit;
use maud::{Markup, html};

/// Hidden fields with the account and the region of the page, for a form that is sent with GET.
pub(super) fn hidden(visit: &Visit) -> Markup {
    let is_home = visit.scope == visit.admin.home;
    html! {
        @if !is_home {
            input type="hidden" name="account" value=(visit.scope.account);
            input type="hidden" name="region" value=(visit.scope.region.as_str());
        }
    }
}

/// An HTML form that sends an action of the console with POST.
pub(super) struct Form<'a> {
    visit: &'a Visit,
    action: String,
    /// The address of the page that the browser shows after the action.
    back: String,
    class: &'static str,
}

impl<'a> Form<'a> {
    /// A form for the action at `path` below `/_minikin/console/do/`.
    pub(super) fn new(visit: &'a Visit, path: &str) -> Self {
        Self {
            visit,
            action: visit.link(&format!("/_minikin/console/do/{path}")),
            back: visit.address.clone(),
            class: "stack",
        }
    }

    /// A form that calls the operation `name` of the service. The names of the form's fields are
    /// the members of the request.
    pub(super) fn operation(visit: &'a Visit, name: &str) -> Self {
        Self::new(visit, &format!("call/{name}"))
    }

    /// Sets the page that the browser shows after the action. Without this call, the browser shows
    /// the present page again.
    pub(super) fn back(self, path: &str) -> Self {
        Self {
            back: self.visit.link(path),
            ..self
        }
    }

    /// Shows the fields of the form next to one another.
    pub(super) fn in_row(self) -> Self {
        Self {
            class: "row",
            ..self
        }
    }

    /// Renders the form with `fields` and the hidden fields of every form.
    pub(super) fn open(self, fields: &Markup) -> Markup {
        html! {
            form method="post" action=(self.action) class=(self.class) {
                input type="hidden" name="back" value=(self.back);
                (fields)
                p class="problem" role="alert" hidden {}
            }
        }
    }
}
