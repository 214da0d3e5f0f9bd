//! What a running server exposes is what Prometheus wants and what
//! `docs/metrics.md` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use countersign_tests::{Backend, Metrics, World, on_a_backend, promtool, say};

use crate::documents::{Row, documented};

#[test]
fn what_is_exposed_is_what_is_documented() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let documented = documented();
        let exposed = families(&scrape(backend).await);
        for (name, row) in &exposed {
            let known = documented.get(name).map(|known| Row {
                appears: String::new(),
                ..known.clone()
            });
            let labels: Vec<_> = row
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            let line = format!(
                "| `{name}` | {} | {} | | {} |",
                row.kind,
                labels.join(", "),
                row.help
            );
            assert!(!row.help.is_empty(), "{name} has no help");
            assert_eq!(known.as_ref(), Some(row), "docs/metrics.md lacks:\n{line}");
        }
        let missing = documented
            .iter()
            .filter(|(name, row)| row.appears.is_empty() && !exposed.contains_key(*name));
        let missing: Vec<_> = missing.map(|(name, _)| name).collect();
        assert!(
            missing.is_empty(),
            "documented, and not exposed: {missing:?}"
        );
        assert!(exposed.len() > 40, "{}", exposed.len());
        say!(
            "{} metrics exposed, {} documented",
            exposed.len(),
            documented.len()
        );
    });
}

#[test]
fn prometheus_finds_nothing_wrong_with_the_metrics() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let exposed = scrape(backend).await;
        let check = ["check", "metrics"];
        if let Some(checked) = promtool(Path::new("/"), &check, &exposed).await {
            assert!(
                checked.is_good && checked.output.trim().is_empty(),
                "{}",
                checked.output
            );
        }
        let odd = format!("{exposed}\nodd_total_things 1\n");
        if let Some(checked) = promtool(Path::new("/"), &check, &odd).await {
            assert!(!checked.is_good, "it finds fault with nothing");
        }
    });
}

/// What a server exposes after calls of several kinds.
async fn scrape(backend: Backend) -> String {
    let metrics = Metrics::somewhere().await;
    let world = World::on(backend).set("metrics.listen", metrics.listen());
    let world = world.start().await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let gateway = world.gateway();
    for token in [&*tokens.access_token, "no token"] {
        gateway.judge(token).await;
    }
    gateway.refresh("").await.expect_err("no token");
    metrics.page("/metrics").await.body
}

/// The metrics of an exposition, with the labels of their series.
fn families(exposition: &str) -> BTreeMap<String, Row> {
    let mut families: BTreeMap<String, Row> = BTreeMap::new();
    let mut help = BTreeMap::new();
    for line in exposition.lines() {
        if let Some((name, text)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            help.insert(name, text);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' '))
        {
            let row = Row {
                kind: kind.into(),
                labels: BTreeSet::new(),
                appears: String::new(),
                help: help.get(name).copied().unwrap_or_default().into(),
            };
            families.insert(name.into(), row);
        } else if !line.is_empty() {
            let series = line.rsplit_once(' ').expect("a value").0;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let family = ["", "_bucket", "_sum", "_count"]
                .iter()
                .filter_map(|suffix| name.strip_suffix(suffix))
                .find(|family| families.contains_key(*family))
                .unwrap_or_else(|| panic!("{name} has no type"))
                .to_owned();
            let labels = labels.trim_end_matches('}').split(',');
            let names = labels.filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
            let row = families.get_mut(&family).expect("it is there");
            row.labels.extend(names.filter(|label| label != "le"));
        }
    }
    families
}
