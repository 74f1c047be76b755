//! Every mistake a pack file can have: its code and its line. The built-in pack has none.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use yijie_rules::{Lang, Packs, check_pack, sandbox_overlays};

const KUNMING: &str = include_str!("../packs/530100-kunming/employee.toml");

/// The pack with one place changed.
fn changed(old: &str, new: &str) -> String {
    assert!(KUNMING.contains(old), "the pack no longer has {old:?}");
    KUNMING.replacen(old, new, 1)
}

/// The mistakes of a changed pack, each as its code and the line it points at.
fn faults(old: &str, new: &str) -> Vec<String> {
    let text = changed(old, new);
    let found = check_pack(&Packs::default(), "kunming.toml", &text);
    for error in &found {
        assert!(error.to_string().starts_with("kunming.toml:"), "{error}");
        assert!(!error.advice(Lang::Zh).is_empty() && !error.advice(Lang::En).is_empty());
    }
    let line = |at: usize| text.lines().nth(at - 1).unwrap().trim();
    found
        .iter()
        .map(|error| format!("{} at {}", error.code(), line(error.line)))
        .collect()
}

#[test]
fn the_built_in_pack_has_no_mistake() {
    assert_eq!(check_pack(&Packs::default(), "kunming.toml", KUNMING), []);
    let packs = Packs::builtin();
    for (id, file) in [
        ("kunming-employee", "530100-kunming/employee.toml"),
        ("kunming-resident", "530100-kunming/resident.toml"),
        ("honghe-resident", "532500-honghe/resident.toml"),
        ("panzhihua-resident", "510400-panzhihua/resident.toml"),
    ] {
        let text = std::fs::read_to_string(format!("{}/packs/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(check_pack(&Packs::default(), file, &text), [], "{file}");
        assert_eq!(packs.text(id).as_deref(), Some(text.as_str()), "{id} is built in");
    }
}

#[test]
fn the_sandbox_fills_every_figure_that_is_missing_and_no_other_pack_is_touched() {
    let mut packs = Packs::builtin();
    let missing =
        |packs: &Packs| -> Vec<String> { packs.list().into_iter().flat_map(|pack| pack.missing).collect() };
    assert!(missing(&packs).len() > 40, "{:#?}", missing(&packs));
    for (file, toml) in sandbox_overlays() {
        assert_eq!(check_pack(&packs, file, toml), [], "{file}");
        packs.add(file, toml).unwrap();
    }
    assert_eq!(missing(&packs), Vec::<String>::new());
    assert_eq!(packs.get("kunming-employee").unwrap().version(), "2026.11.3");
    assert_eq!(
        packs.get("honghe-resident").unwrap().version(),
        "2026.11.1+sandbox.1"
    );
}

#[test]
fn each_mistake_is_found_at_its_line() {
    const FIRST: &str = "from = 2022-04-01\nsource = \"KM-15\"\narticle = \"第九条第二款\"";
    const ARTICLE: &str = "source = \"KM-15\"\narticle = \"第九条第四款\"";
    const LEVELS: &str = r#"table = { "1" = "30.00", "2" = "60.00", "3" = "90.00" }"#;
    const LIMIT: &str = r#"limit = { amount = "outpatient-limit" }"#;
    const RETIRED: &str = r#"table.retired = { "1" = "0.95", "2" = "0.92", "3" = "0.89" }"#;
    let second = "[[parameter.chronic-deductible.value]]\nfrom = 2026-01-01\nsource = \"KM-15\"\narticle = \"x\"\nvalue = \"2\"\n";
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "area = \"530100\"",
            "areaa = \"530100\"".into(),
            &["PACK_NOT_READABLE at areaa = \"530100\""],
        ),
        (
            "area = \"530100\"",
            "area = 530100 x".into(),
            &["PACK_NOT_READABLE at area = 530100 x"],
        ),
        (
            "value = \"6000.00\"",
            "value = \"6000.001\"".into(),
            &["PACK_BAD_VALUE at value = \"6000.001\""],
        ),
        (
            "value = \"0.80\"",
            "value = \"80\"".into(),
            &["PACK_BAD_VALUE at value = \"80\""],
        ),
        (
            FIRST,
            FIRST.replace("04-01", "05-01"),
            &["PACK_GAP at [[parameter.outpatient-deductible.value]]"],
        ),
        (
            FIRST,
            FIRST.replace("04-01", "04-01\nuntil = 2025-12-31"),
            &["PACK_GAP at [parameter.outpatient-deductible]"],
        ),
        (
            FIRST,
            FIRST.replace("04-01", "04-01\nuntil = 2022-03-31"),
            &[
                "PACK_GAP at [parameter.outpatient-deductible]",
                "PACK_BACKWARDS at [[parameter.outpatient-deductible.value]]",
            ],
        ),
        (
            "[parameter.chronic-ratio]",
            format!("{second}[parameter.chronic-ratio]"),
            &["PACK_OVERLAP at [[parameter.chronic-deductible.value]]"],
        ),
        (
            LEVELS,
            r#"table = { "1" = "30.00", "3" = "90.00" }"#.into(),
            &[r#"PACK_MISSING_CELL at table = { "1" = "30.00", "3" = "90.00" }"#],
        ),
        (
            LEVELS,
            LEVELS.replace(" }", r#", "4" = "1" }"#),
            &[r#"PACK_BAD_VALUE at table = { "1" = "30.00", "2" = "60.00", "3" = "90.00", "4" = "1" }"#],
        ),
        (
            r#"table = { "1" = "0.60", "2" = "0.55", "3" = "0.50" }"#,
            r#"table = { "1" = "0.55", "2" = "0.55", "3" = "0.50" }"#.into(),
            &["PACK_GRASSROOTS_NOT_HIGHER at [parameter.outpatient-ratio]"],
        ),
        (
            RETIRED,
            RETIRED.replace("0.92", "0.88"),
            &["PACK_GRASSROOTS_NOT_HIGHER at [parameter.inpatient-ratio]"],
        ),
        (
            "value = \"300.00\"",
            String::new(),
            &["PACK_NO_FIGURE at [[parameter.chronic-deductible.value]]"],
        ),
        (
            ARTICLE,
            "source = \"KM-15\"\narticle = \" \"".into(),
            &["PACK_NO_ARTICLE at article = \" \""],
        ),
        (
            ARTICLE,
            "source = \"KM-99\"\narticle = \"x\"".into(),
            &["PACK_UNKNOWN_NAME at source = \"KM-99\""],
        ),
        (
            ARTICLE,
            "article = \"x\"".into(),
            &["PACK_NOT_READABLE at [[parameter.outpatient-limit.value]]"],
        ),
        (
            ARTICLE,
            "source = \"KM-15\"".into(),
            &["PACK_NOT_READABLE at [[parameter.outpatient-limit.value]]"],
        ),
        (
            LIMIT,
            String::new(),
            &[
                "PACK_LIMIT_WITHOUT_POOL at [parameter.outpatient-limit]",
                "PACK_POOL_WITHOUT_LIMIT at [[pool]]",
            ],
        ),
        (
            LIMIT,
            LIMIT.replace("limit\"", "limits\""),
            &[
                "PACK_LIMIT_WITHOUT_POOL at [parameter.outpatient-limit]",
                r#"PACK_UNKNOWN_NAME at limit = { amount = "outpatient-limits" }"#,
            ],
        ),
        (
            LIMIT,
            LIMIT.replace("outpatient-limit", "outpatient-ratio"),
            &[
                "PACK_LIMIT_WITHOUT_POOL at [parameter.outpatient-limit]",
                r#"PACK_BAD_VALUE at limit = { amount = "outpatient-ratio" }"#,
            ],
        ),
        (
            "[[source]]\nid = \"KM-REG\"",
            "[[source]]\nid = \"KM-15\"\ntitle = \"x\"\nname = \"x\"\ngrade = \"official\"\n[[source]]\nid = \"KM-REG\"".into(),
            &["PACK_DEFINED_TWICE at id = \"KM-15\""],
        ),
        (
            "level_min = \"reading:renal-level-min\"",
            "level_min = \"reading:renal\"".into(),
            &[
                "PACK_UNUSED at name = \"renal-level-min\"",
                "PACK_UNKNOWN_NAME at level_min = \"reading:renal\"",
            ],
        ),
        (
            "value = \"settlement\"",
            "value = \"often\"".into(),
            &["PACK_BAD_VALUE at name = \"outpatient-deductible-per\""],
        ),
        (
            "level_min = \"2\"",
            "level_min = \"5\"".into(),
            &["PACK_UNKNOWN_NAME at level_min = \"5\""],
        ),
        (
            "by_code = [{ code = \"N18\", benefit = \"special\", class = \"renal_failure\" }]",
            "by_code = [{ code = \"N18\", benefit = \"specials\", class = \"renal\" }]".into(),
            &["PACK_UNKNOWN_NAME at by_code = [{ code = \"N18\", benefit = \"specials\", class = \"renal\" }]";
                2],
        ),
    ];
    let mut wrong = Vec::new();
    for (old, new, expected) in cases {
        let found = faults(old, &new);
        if found != expected {
            wrong.push(format!("{new:?}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_pack_changes_nothing() {
    let mut packs = Packs::builtin();
    let broken = changed("version = ", "versionn = ");
    assert_eq!(
        packs.add("x.toml", &broken).unwrap_err().code(),
        "PACK_NOT_READABLE"
    );
    assert_eq!(packs.list().len(), Packs::builtin().list().len());
    let newer = changed("version = \"2026.11.3\"", "version = \"2027.1.1\"");
    packs.add("x.toml", &newer).unwrap();
    assert_eq!(packs.get("kunming-employee").unwrap().version(), "2027.1.1");
    assert_eq!(
        packs.list().len(),
        Packs::builtin().list().len(),
        "the same id is replaced"
    );
}

#[test]
fn an_overlay_replaces_figures_and_readings_by_name() {
    let overlay = r#"
        overlay = "kunming-employee"
        version = "show.1"
        [[source]]
        id = "SHOW"
        title = "演示值"
        name = "没有依据"
        grade = "sandbox"
        [parameter.outpatient-limit]
        title = "普通门诊年度最高支付限额"
        unit = "yuan"
        [[parameter.outpatient-limit.value]]
        from = 2022-04-01
        source = "SHOW"
        article = "无"
        value = "7000.00"
    "#;
    let mut packs = Packs::default();
    assert_eq!(
        packs.add("show.toml", overlay).unwrap_err().code(),
        "PACK_NO_BASE"
    );
    let mut packs = Packs::builtin();
    packs.add("show.toml", overlay).unwrap();
    assert_eq!(
        packs.get("kunming-employee").unwrap().version(),
        "2026.11.3+show.1"
    );
    // the text kept of it is a pack again, however often something was laid over it
    let second = "# a second one\nversion = \"show.2\"\n\noverlay = \"kunming-employee\"\n";
    for (more, version) in [("", "2026.11.3+show.1"), (second, "2026.11.3+show.1+show.2")] {
        let mut laid = packs.clone();
        if !more.is_empty() {
            laid.add("second.toml", more).unwrap();
        }
        let text = laid.text("kunming-employee").unwrap();
        let read = Packs::of_text("kept.toml", &text).unwrap();
        assert_eq!(read.get("kunming-employee").unwrap().version(), version);
        assert_eq!(read.list().len(), 1);
        assert_eq!(
            serde_json::to_value(read.list()).unwrap()[0],
            serde_json::to_value(laid.list()).unwrap()[0]
        );
    }

    let mut claim =
        yijie_rules::Claim::from_json(include_bytes!("example/ordinary-retired-level2.claim.json")).unwrap();
    claim.accumulated.clear();
    let outcome = yijie_rules::split(&packs, &claim, &yijie_rules::Options::default());
    let settled = outcome.settled().unwrap();
    assert_eq!(settled.grade, yijie_rules::Grade::Sandbox);
    assert_eq!(
        settled
            .setldetail
            .first()
            .unwrap()
            .crt_payb_lmt_amt
            .unwrap()
            .to_string(),
        "7000.00"
    );

    let broken = overlay.replace("value = \"7000.00\"", "value = \"seven\"");
    let errors = check_pack(&Packs::builtin(), "show.toml", &broken);
    assert_eq!(
        errors
            .iter()
            .map(|error| (error.code(), error.line))
            .collect::<Vec<_>>(),
        [("PACK_BAD_VALUE", 16)]
    );
}

#[test]
fn a_figure_that_is_not_published_is_refused_with_the_article_that_delegates_it() {
    let text = changed("value = \"6000.00\"", "not_published = true");
    let mut packs = Packs::default();
    packs.add("kunming.toml", &text).unwrap();
    assert_eq!(packs.list().first().unwrap().missing.len(), 1);
    let claim =
        yijie_rules::Claim::from_json(include_bytes!("example/ordinary-retired-level2.claim.json")).unwrap();
    let yijie_rules::Outcome::Refused(refused) =
        yijie_rules::split(&packs, &claim, &yijie_rules::Options::default())
    else {
        panic!("settled without a limit")
    };
    assert_eq!(refused.code(), "FIGURE_NOT_PUBLISHED");
    assert_eq!(refused.article, "昆政办〔2022〕15号 第九条第四款");
}
