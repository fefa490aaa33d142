use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::frame::{Frame, Session, icon, style};
use crate::state::Console;
use crate::{case, cases, exposition, guard, health, login, overview, replay, simulate, trouble};

/// How long what a form sends may be, in octets.
pub const FORM_OCTETS_MAX: usize = 64 * 1024;

/// How long a what-if with its senders may be, in octets: a report of DMARC fits in.
pub const SIMULATION_OCTETS_MAX: usize = 1024 * 1024;

/// The operator's pages and `/metrics`.
///
/// Requests should carry a [`crate::Peer`] as an extension, as [`crate::converse`] gives them:
/// tries of the password are counted by it.
pub fn console_router(console: Console) -> Router {
    let simulations = get(simulate::form)
        .post(simulate::show)
        .layer(DefaultBodyLimit::max(SIMULATION_OCTETS_MAX));
    let behind_password = Router::new()
        .route("/", get(overview::show))
        .route("/cases", get(cases::show))
        .route("/cases/{id}", get(case::show))
        .route("/cases/{id}/replay", get(to_case).post(replay::show))
        .route("/simulate", simulations)
        .route("/health", get(health::show))
        .route("/logout", axum::routing::post(login::leave))
        .route_layer(from_fn_with_state(console.clone(), guard::password));
    let for_machines = Router::new()
        .route("/metrics", get(exposition::show))
        .route_layer(from_fn_with_state(console.clone(), guard::machine));
    Router::new()
        .route("/login", get(login::show).post(login::enter))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .merge(behind_password)
        .merge(for_machines)
        .fallback(no_page)
        .layer(DefaultBodyLimit::max(FORM_OCTETS_MAX))
        .layer(from_fn_with_state(console.clone(), guard::origin))
        .layer(from_fn(guard::bound))
        .with_state(console)
}

/// What a replay showed is not kept: the case is.
async fn to_case(Path(id): Path<String>) -> Response {
    Redirect::to(&format!("/cases/{}", case::segment(&id))).into_response()
}

async fn no_page(State(console): State<Console>) -> Response {
    let frame = match &console.0.settings.password {
        Some(_) => Frame::closed(&console),
        None => Frame::new(&console, &Session(String::new()), ""),
    };
    trouble::no_page(frame)
}
