//! The committed code is what the contract says today: generating it again
//! must change nothing. `cargo regenerate` writes it.

#[path = "../examples/regenerate.rs"]
#[expect(dead_code, reason = "the example's own main is not called here")]
mod regenerate;

#[test]
fn the_generated_code_is_current() {
    let fresh = regenerate::generate().expect("the contract compiles");
    for (path, content) in fresh {
        let present = std::fs::read(regenerate::root().join(path)).unwrap_or_default();
        assert!(
            present == content,
            "{path} is not what proto/ says: run `cargo regenerate`"
        );
    }
}
