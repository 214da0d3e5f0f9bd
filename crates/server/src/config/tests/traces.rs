//! Where spans may go, and which share of them.

use super::*;

#[test]
#[cfg(feature = "otlp")]
fn a_collector_is_named_by_scheme_and_host() {
    let with = |endpoint: &str| given().file(&format!("[traces]\nendpoint = '{endpoint}'"));
    for good in [
        "http://127.0.0.1:4317",
        "http://[::1]:4317/",
        "https://collector.example",
    ] {
        assert_eq!(with(good).good().traces.collector(), Some(good));
    }
    assert_eq!(with("").good().traces.collector(), None);
    for bad in [
        "127.0.0.1:4317",
        "collector",
        "http://",
        "grpc://collector.example:4317",
        "http://collector.example:4317/v1/traces",
        "https://ann:s3cret@collector.example:4317",
    ] {
        let problem = with(bad).problem();
        assert!(problem.contains("http://127.0.0.1:4317"), "{problem}");
        assert!(!problem.contains("s3cret"), "{problem}");
    }
}

#[test]
#[cfg(not(feature = "otlp"))]
fn a_program_without_traces_takes_no_collector() {
    let problem = given()
        .variables(&[("COUNTERSIGN__TRACES__ENDPOINT", "http://127.0.0.1:4317")])
        .problem();
    assert!(problem.contains("without the feature otlp"), "{problem}");
    given().file("[traces]\nendpoint = ''").good();
}

#[test]
fn the_share_of_traces_is_a_number_from_0_to_1() {
    let ratio = |given: Given| given.good().traces.sample_ratio;
    let variable = |value| given().variables(&[("COUNTERSIGN__TRACES__SAMPLE_RATIO", value)]);
    let file = |value| given().file(&format!("[traces]\nsample_ratio = {value}"));
    for (given, expected) in [
        (variable("0.25"), 0.25),
        (variable("1"), 1.0),
        (file("0"), 0.0),
        (file("0.5"), 0.5),
    ] {
        assert!((ratio(given) - expected).abs() < 1e-9, "{expected}");
    }
    for given in [variable("1.5"), variable("NaN"), file("-1"), file("nan")] {
        let problem = given.problem();
        assert!(problem.ends_with("must be 0 to 1"), "{problem}");
    }
    let problem = variable("half").problem();
    assert!(problem.ends_with("must be a number"), "{problem}");
}
