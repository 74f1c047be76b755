//! Splits per second on one core: in process, with trace, and through JSON text.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use yijie_rules::{Claim, Options, Packs, split};

fn main() {
    divan::main();
}

const THREE_LINES: &str = r#"{"person":{"psn_no":"53010000000000000000000042","insutype":"310","psn_type":"12","insuplc_admdvs":"530100","psn_insu_stas":"1"},"institution":{"fixmedins_code":"H53010200001","fixmedins_type":"1","medinslv":"2"},"visit":{"med_type":"11","begntime":"2026-03-01 09:30:00","mdtrtarea_admvs":"530100"},"lines":[{"feedetl_sn":"1","med_list_codg":"XA0000001","name":"甲类药","chrgitm_lv":"01","pric":"20.00","cnt":"10","det_item_fee_sumamt":"200.00","goods":"drug"},{"feedetl_sn":"2","med_list_codg":"XA0000002","name":"乙类药","chrgitm_lv":"02","selfpay_prop":"0.05","pric":"33.33","cnt":"3","pric_uplmt_amt":"30.00","det_item_fee_sumamt":"99.99","goods":"drug"},{"feedetl_sn":"3","med_list_codg":"XA0000003","name":"丙类药","chrgitm_lv":"03","pric":"12.50","cnt":"1","det_item_fee_sumamt":"12.50","goods":"drug"}],"accounts":{"acct_used_flag":"1","own":{"balc":"100.00"}},"accumulated":[{"pool":"ordinary-outpatient","fund":"1200.00"}]}"#;

/// The same bill crossing the outpatient limit, through fractions that do not end.
const CROSSING: (&str, &str) = ("\"fund\":\"1200.00\"", "\"fund\":\"5950.00\"");

fn options(trace: bool) -> Options {
    Options {
        trace,
        ..Options::default()
    }
}

#[divan::bench(args = [false, true])]
fn in_process(bencher: Bencher<'_, '_>, trace: bool) {
    let (packs, options) = (Packs::builtin(), options(trace));
    let claim = Claim::from_json(THREE_LINES.as_bytes()).unwrap();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| split(&packs, black_box(&claim), &options));
}

/// Claims that all differ, as a day of a city has them; more of them than the processor's caches hold.
fn distinct() -> Vec<String> {
    let mut chance: u64 = 20_260_301;
    let mut below = |end: u64| {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % end
    };
    let yuan = |fen: u64| format!("{}.{:02}", fen / 100, fen % 100);
    let claims = (0..20_000).map(|no| {
        let lines: Vec<String> = (1..=3)
            .map(|sn| {
                let class = *["01", "01", "02", "03"].get(usize::try_from(below(4)).unwrap()).unwrap();
                let (price, count) = (1 + below(30_000), 1 + below(5));
                let prop = if class == "02" { "0.05" } else { "0" };
                let ceiling = if below(3) == 0 { price * 9 / 10 + 1 } else { 99_999_900 };
                format!(
                    r#"{{"feedetl_sn":"{sn}","med_list_codg":"XA{:07}","name":"药品 {sn}","chrgitm_lv":"{class}","selfpay_prop":"{prop}","pric":"{}","cnt":"{count}","pric_uplmt_amt":"{}","det_item_fee_sumamt":"{}","goods":"drug"}}"#,
                    below(10_000_000),
                    yuan(price),
                    yuan(ceiling),
                    yuan(price * count)
                )
            })
            .collect();
        let used = if below(4) == 0 { 580_000 + below(20_000) } else { below(400_000) };
        format!(
            r#"{{"person":{{"psn_no":"5301{no:022}","insutype":"310","psn_type":"1{}","insuplc_admdvs":"530100","psn_insu_stas":"1"}},"institution":{{"fixmedins_code":"H53010200001","fixmedins_type":"1","medinslv":"{}"}},"visit":{{"med_type":"11","begntime":"2026-03-{:02} 09:30:00","mdtrtarea_admvs":"530100"}},"lines":[{}],"accounts":{{"acct_used_flag":"1","own":{{"balc":"{}"}}}},"accumulated":[{{"pool":"ordinary-outpatient","fund":"{}"}}]}}"#,
            1 + below(2),
            1 + below(3),
            1 + below(28),
            lines.join(","),
            yuan(below(50_000)),
            yuan(used)
        )
    });
    claims.collect()
}

#[divan::bench(args = [false, true])]
fn in_process_distinct(bencher: Bencher<'_, '_>, trace: bool) {
    let (packs, options) = (Packs::builtin(), options(trace));
    let read = |text: &String| Claim::from_json(text.as_bytes()).unwrap();
    let claims: Vec<Claim> = distinct().iter().map(read).collect();
    let mut next = claims.iter().cycle();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| split(&packs, black_box(next.next().unwrap()), &options));
}

#[divan::bench(args = [false, true])]
fn through_json_distinct(bencher: Bencher<'_, '_>, trace: bool) {
    let (packs, options) = (Packs::builtin(), options(trace));
    let texts = distinct();
    let mut next = texts.iter().cycle();
    let mut out = Vec::with_capacity(4096);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let claim = Claim::from_json(black_box(next.next().unwrap().as_bytes())).unwrap();
        out.clear();
        split(&packs, &claim, &options).write_json(&mut out);
        black_box(out.len())
    });
}

#[divan::bench]
fn in_process_crossing(bencher: Bencher<'_, '_>) {
    let (packs, options) = (Packs::builtin(), options(false));
    let claim = Claim::from_json(THREE_LINES.replace(CROSSING.0, CROSSING.1).as_bytes()).unwrap();
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| split(&packs, black_box(&claim), &options));
}

#[divan::bench(args = [false, true])]
fn through_json(bencher: Bencher<'_, '_>, trace: bool) {
    let (packs, options) = (Packs::builtin(), options(trace));
    let mut out = Vec::with_capacity(4096);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        let claim = Claim::from_json(black_box(THREE_LINES.as_bytes())).unwrap();
        let outcome = split(&packs, &claim, &options);
        out.clear();
        outcome.write_json(&mut out);
        black_box(out.len())
    });
}

#[divan::bench]
fn parse_only(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench_local(|| Claim::from_json(black_box(THREE_LINES.as_bytes())).unwrap());
}

#[divan::bench]
fn compile_the_built_in_packs(bencher: Bencher<'_, '_>) {
    bencher.bench_local(Packs::builtin);
}
