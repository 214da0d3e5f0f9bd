//! The health service, as its protocol says: whoever watches is told of changes
//! only, and of a service that is not known yet, too.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::status;

/// The statuses of all services, which health is asked about.
#[derive(Debug, Clone, Default)]
pub(crate) struct HealthService {
    statuses: Arc<watch::Sender<Statuses>>,
}

#[derive(Debug, Default)]
struct Statuses {
    by_service: BTreeMap<&'static str, bool>,
    /// Whoever watches has been told, and would hold up the end of the server.
    has_ended: bool,
}

impl HealthService {
    /// Sets whether a service serves.
    pub(crate) fn set(&self, service: &'static str, is_serving: bool) {
        self.statuses.send_if_modified(|statuses| {
            statuses.by_service.insert(service, is_serving) != Some(is_serving)
        });
    }

    /// Whether the server as a whole serves.
    pub(crate) fn is_serving(&self) -> bool {
        self.statuses.borrow().of("") == ServingStatus::Serving
    }

    /// The services, and whether each serves.
    pub(crate) fn services(&self) -> Vec<(&'static str, bool)> {
        let statuses = self.statuses.borrow();
        let named = statuses
            .by_service
            .iter()
            .filter(|(name, _)| !name.is_empty());
        named
            .map(|(name, is_serving)| (*name, *is_serving))
            .collect()
    }

    /// The statuses of all services, and of the server itself, in the protocol's
    /// words.
    pub(crate) fn statuses(&self) -> BTreeMap<String, HealthCheckResponse> {
        let statuses = self.statuses.borrow();
        let services = statuses.by_service.keys();
        services
            .map(|service| ((*service).to_owned(), response(statuses.of(service))))
            .collect()
    }

    /// Ends the streams of those who watch.
    pub(crate) fn end_watches(&self) {
        self.statuses
            .send_modify(|statuses| statuses.has_ended = true);
    }
}

impl Statuses {
    fn of(&self, service: &str) -> ServingStatus {
        match self.by_service.get(service) {
            Some(true) => ServingStatus::Serving,
            Some(false) => ServingStatus::NotServing,
            None => ServingStatus::ServiceUnknown,
        }
    }
}

#[tonic::async_trait]
impl Health for HealthService {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.statuses.borrow().of(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(status::unknown_service()),
            known => Ok(Response::new(response(known))),
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let watched = self.statuses.subscribe();
        let changes = unfold((watched, None), move |(mut watched, mut told)| {
            let service = service.clone();
            async move {
                loop {
                    let (now, has_ended) = {
                        let statuses = watched.borrow_and_update();
                        (statuses.of(&service), statuses.has_ended)
                    };
                    if told != Some(now) {
                        told = Some(now);
                        return Some((Ok(response(now)), (watched, told)));
                    }
                    if has_ended {
                        return None;
                    }
                    watched.changed().await.ok()?;
                }
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt as _;
    use tokio::time::timeout;

    use super::*;

    fn about(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest {
            service: service.into(),
        })
    }

    /// What is told within a moment.
    async fn told(
        stream: &mut <HealthService as Health>::WatchStream,
    ) -> Option<Option<ServingStatus>> {
        let next = timeout(Duration::from_millis(50), stream.next())
            .await
            .ok()?;
        Some(next.map(|told| told.expect("no error").status()))
    }

    #[tokio::test]
    async fn whoever_watches_is_told_of_changes_only() {
        let health = HealthService::default();
        health.set("a", true);
        health.set("b", true);
        let stream = health.watch(about("a")).await.expect("a stream");
        let mut stream = stream.into_inner();
        assert_eq!(told(&mut stream).await, Some(Some(ServingStatus::Serving)));
        health.set("a", true);
        health.set("b", false);
        assert_eq!(told(&mut stream).await, None);
        health.set("a", false);
        assert_eq!(
            told(&mut stream).await,
            Some(Some(ServingStatus::NotServing))
        );
        health.end_watches();
        assert_eq!(told(&mut stream).await, Some(None));
    }

    #[tokio::test]
    async fn a_service_that_is_not_known_yet_is_waited_for() {
        let health = HealthService::default();
        let refused = health.check(about("a")).await.expect_err("nobody knows it");
        assert_eq!(refused.code(), tonic::Code::NotFound);
        let stream = health.watch(about("a")).await.expect("a stream");
        let mut stream = stream.into_inner();
        let unknown = Some(Some(ServingStatus::ServiceUnknown));
        assert_eq!(told(&mut stream).await, unknown);
        health.set("a", true);
        assert_eq!(told(&mut stream).await, Some(Some(ServingStatus::Serving)));
        let checked = health.check(about("a")).await.expect("it is known");
        assert_eq!(checked.get_ref().status(), ServingStatus::Serving);
    }
}
