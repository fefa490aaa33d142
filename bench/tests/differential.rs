//! A hundredth of the comparison with other implementations; `cargo xtask differential` runs it
//! whole.

#[test]
fn no_difference_without_an_explanation() {
    let report =
        quivive_bench::differential::run(1_000, 1).unwrap_or_else(|error| panic!("{error}"));
    assert!(!report.contains("skipped:"), "{report}");
    assert!(report.contains("pyspf, Mail::SPF, libspf2"), "{report}");
}
