//! The one way to add a route, so that all of them can be listed: a route that nobody can name is one whose rights nobody
//! checks. `clippy.toml` refuses the other ways.

use axum::{Router, routing::MethodRouter};

use crate::App;

/// Routes with their paths.
pub(crate) struct Routes {
    router: Router<App>,
    paths: Vec<String>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self {
            router: Router::new(),
            paths: Vec::new(),
        }
    }

    /// Adds a route, or more methods to one.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub(crate) fn route(mut self, path: &str, methods: MethodRouter<App>) -> Self {
        if self.paths.iter().all(|known| known != path) {
            self.paths.push(path.to_owned());
        }
        self.router = self.router.route(path, methods);
        self
    }

    /// Adds the routes of another part.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        self.router = self.router.merge(other.router);
        self
    }

    /// The paths, as they were given.
    pub(crate) fn paths(self) -> Vec<String> {
        self.paths
    }

    /// What axum serves.
    pub(crate) fn into_router(self) -> Router<App> {
        self.router
    }
}
