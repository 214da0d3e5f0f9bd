//! Metrics, liveness and readiness over HTTP, in an outage and in a drain.

use countersign_tests::{
    Backend, Metrics, Mode, PATIENCE, World, comes_true, eventually, on_a_backend,
};

#[test]
fn the_port_tells_metrics_liveness_and_readiness_and_nothing_else() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend).set("metrics.listen", metrics.listen());
        let _world = world.start().await;

        let page = metrics.page("/metrics?name=up").await;
        assert_eq!(page.status, 200);
        let exposition = "content-type: text/plain; version=0.0.4; charset=utf-8";
        assert!(page.headers.contains(exposition), "{}", page.headers);
        for (path, text) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
            let page = metrics.page(path).await;
            assert_eq!((page.status, &*page.body), (200, text), "{path}");
            let length = format!("content-length: {}", text.len());
            let head = metrics.request("HEAD", path).await.expect("an answer");
            assert_eq!((head.status, &*head.body), (200, ""), "{path}");
            assert!(head.headers.contains(&length), "{}", head.headers);
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "ODD"] {
                let refused = metrics.request(method, path).await.expect("an answer");
                assert_eq!(refused.status, 405, "{method} {path}");
                assert!(refused.headers.contains("allow: get, head"), "{method}");
            }
        }
        for path in [
            "/",
            "/health",
            "/metrics/",
            "/readyz/live",
            "/%6detrics",
            "*",
        ] {
            let page = metrics.page(path).await;
            assert_eq!(page.status, 404, "{path}");
        }
    });
}

#[test]
fn a_draining_server_is_alive_and_not_ready() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend)
            .set("metrics.listen", metrics.listen())
            .set("server.drain_delay", "60s")
            .start()
            .await;
        assert_eq!(metrics.value("countersign_ready").await, Some(1.0));
        world.replica(0).terminate().await;
        let unready = async || {
            let page = metrics.page("/readyz").await;
            (page.status == 503).then_some(page.body)
        };
        let (body, _) = eventually("it is not ready", PATIENCE, unready).await;
        assert!(
            body.starts_with("not ready: the server is draining\n"),
            "{body}"
        );
        assert!(
            body.contains("countersign.v1.AuthService is not serving\n"),
            "{body}"
        );
        assert_eq!(metrics.page("/healthz").await.status, 200);
        assert_eq!(metrics.value("countersign_ready").await, Some(0.0));
        world.replica(0).interrupt().await;
        let status = world.replica(0).wait().await;
        assert_eq!(status.code(), Some(0), "{status}");
    });
}

#[test]
fn an_outage_is_named_and_makes_nothing_unready_or_dead() {
    on_a_backend(Backend::Postgres, async |backend| {
        let metrics = Metrics::somewhere().await;
        let world = World::on(backend)
            .set_at(0, "metrics.listen", metrics.listen())
            .with_lines()
            .start()
            .await;
        assert_eq!(metrics.page("/readyz").await.body, "ready\n");
        world.database_line().set(Mode::Cut);
        let session = "countersign.v1.SessionService is not serving\n";
        let is_named = async || metrics.page("/readyz").await.body.contains(session);
        assert!(comes_true(PATIENCE, is_named).await.is_some());
        assert_eq!(metrics.page("/readyz").await.status, 200);
        assert_eq!(metrics.page("/healthz").await.status, 200);
        let database = "countersign_dependency_up{dependency=\"database\"}";
        assert_eq!(metrics.value(database).await, Some(0.0));
        let serves = "countersign_service_serving{service=\"countersign.v1.SessionService\"}";
        assert_eq!(metrics.value(serves).await, Some(0.0));
        world.database_line().set(Mode::Pass);
        let is_over = async || metrics.page("/readyz").await.body == "ready\n";
        assert!(comes_true(PATIENCE, is_over).await.is_some());
    });
}
