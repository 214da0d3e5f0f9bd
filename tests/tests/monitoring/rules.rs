//! The alerts fire when they should and at no other time, and alerts and
//! dashboard rest on metrics that are there.

use std::collections::BTreeSet;

use countersign_tests::{promtool, say};
use serde_json::Value;

use crate::documents::{documented, named, path, text};

const ALERTS: &str = "deploy/prometheus/alerts.yml";
const CASES: &str = "deploy/prometheus/alerts_test.yml";
const DASHBOARD: &str = "deploy/grafana/countersign.json";

#[tokio::test]
async fn each_alert_fires_when_it_should_and_at_no_other_time() {
    let directory = path("deploy/prometheus");
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        if let Some(checked) = promtool(&directory, &arguments, "").await {
            assert!(checked.is_good, "{}", checked.output);
        }
    }
    let alerts = alerts();
    let cases = text(CASES);
    let untested: Vec<_> = alerts
        .iter()
        .filter(|alert| !cases.contains(&format!("{{alertname=\"{alert}\"}}")))
        .collect();
    assert!(untested.is_empty(), "no case fires {untested:?}");
    say!("{} alerts", alerts.len());
}

#[test]
fn alerts_and_dashboard_rest_on_metrics_that_are_there() {
    let documented: BTreeSet<_> = documented().into_keys().collect();
    for file in [ALERTS, CASES, DASHBOARD] {
        let named = named(&text(file));
        let unknown: Vec<_> = named.difference(&documented).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
        assert!(named.len() > 15, "{file} names only {named:?}");
    }
}

#[test]
fn the_dashboard_is_complete() {
    let dashboard: Value = serde_json::from_str(&text(DASHBOARD)).expect("JSON");
    for field in [
        "title",
        "uid",
        "schemaVersion",
        "templating",
        "time",
        "refresh",
    ] {
        assert!(!dashboard[field].is_null(), "{field}");
    }
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "ids are unique");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().expect("a title");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().expect(title);
        assert!(!targets.is_empty(), "{title} shows nothing");
        for target in targets {
            let query = target["expr"].as_str().expect(title);
            assert!(query.contains("$instance"), "{title}: {query}");
        }
    }
}

/// The names of the alerts.
fn alerts() -> BTreeSet<String> {
    let rules = text(ALERTS);
    let names = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let names: BTreeSet<_> = names.map(str::to_owned).collect();
    assert!(names.len() > 10, "{names:?}");
    names
}
