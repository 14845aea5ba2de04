//! The AWS SDK for Rust against minikin. minikin's own tests use this SDK, too, and go further; these
//! are the checks that the other clients have. `conformance/run` sets the variables.

mod clients;
mod errors;
mod events;
mod family;
mod records;
mod runner;
mod subscriptions;

use tokio::task::LocalSet;

#[tokio::main]
async fn main() {
    let client = std::env::args().nth(1).expect("the client's name");
    let checks = [records::checks(), errors::checks(), subscriptions::checks()];
    let all = runner::run_all(&client, checks.into_iter().flatten().collect());
    std::process::exit(LocalSet::new().run_until(all).await);
}
