//! The customer's window: three large amounts that fit, whatever they come to.

use i_slint_backend_testing as testing;
use slint::platform::set_platform;
use slint::{ComponentHandle, ModelRc, PhysicalSize, VecModel};
use yijie_ui::{CustomerSum, CustomerWindow, slint};

fn sums(rows: &[(&str, &str, &str)]) -> ModelRc<CustomerSum> {
    let rows = rows.iter().map(|(zh, en, amount)| CustomerSum {
        zh: (*zh).into(),
        en: (*en).into(),
        amount: (*amount).into(),
    });
    ModelRc::from(std::rc::Rc::new(VecModel::from(rows.collect::<Vec<_>>())))
}

#[test]
fn the_three_amounts_fill_the_customers_window_and_nothing_is_cut() {
    set_platform(Box::new(testing::TestingBackend::new(
        testing::TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        },
    )))
    .unwrap();
    let ui = CustomerWindow::new().unwrap();
    ui.set_institution("昆明市五华区健之佳连锁药店（人民中路店）".into());
    ui.set_greeting("欢迎光临".into());
    ui.set_greeting_en("Welcome".into());
    ui.show().unwrap();
    for (name, size) in [("1024", (1024, 768)), ("1920", (1920, 1080)), ("800", (800, 480))] {
        ui.window().set_size(PhysicalSize::new(size.0, size.1));
        ui.set_idle(true);
        ui.set_name("".into());
        crate::pages::save_window(ui.window(), &format!("customer-idle-{name}"));
        ui.set_idle(false);
        ui.set_name("阿***********".into());
        for (state, cash) in [("bill", false), ("paid", true)] {
            ui.set_sums(sums(&[
                ("合计", "Total", "1,125,922.40"),
                ("医保支付", "Insurance pays", "1,009,953.45"),
                ("应付现金", "To pay", "115,968.95"),
            ]));
            ui.set_cash(if cash {
                sums(&[("实收", "Received", "116,000.00"), ("找零", "Change", "31.05")])
            } else {
                sums(&[])
            });
            ui.set_remark("暂定金额，以医保经办机构结算为准".into());
            crate::pages::save_window(ui.window(), &format!("customer-{state}-{name}"));
            let boxes = testing::ElementQuery::from_root(&ui)
                .match_inherits("SumBox")
                .find_all();
            assert_eq!(boxes.len(), if cash { 5 } else { 3 });
            for sum in boxes {
                let (at, extent) = (sum.absolute_position(), sum.size());
                let inside = at.x >= 0.0
                    && at.y >= 0.0
                    && at.x + extent.width <= size.0 as f32
                    && at.y + extent.height <= size.1 as f32;
                assert!(
                    inside && extent.height >= 60.0,
                    "{name} {state}: {at:?} {extent:?}"
                );
            }
        }
    }
}
