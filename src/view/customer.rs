//! The customer's window: what the sale under way comes to, and of the person the masked name only.

use std::rc::Rc;

use yijie_ui::slint::{ModelRc, SharedString, VecModel};
use yijie_ui::{CustomerSum, CustomerWindow};

use super::{Screen, figure, mask_name};
use crate::desk::State;
use crate::desk::customer::{self, Serving, Sums};

#[derive(Clone, PartialEq)]
pub(super) struct View {
    institution: SharedString,
    complaints_phone: SharedString,
    name: SharedString,
    sums: Vec<CustomerSum>,
    cash: Vec<CustomerSum>,
    provisional: bool,
}

pub(super) fn view(state: &State) -> View {
    let testing = state.now_ms < state.devices.display_test_until_ms;
    let (sums, cash) = match customer::serving(state) {
        _ if testing => (test(), Vec::new()),
        Serving::Nobody => (Vec::new(), Vec::new()),
        Serving::Bill(sums) => (three(&sums), Vec::new()),
        Serving::Paying(sums, cash) | Serving::Paid(sums, cash) => {
            let cash = cash.map(|(tendered, change)| {
                vec![
                    sum("实收", "Received", figure(tendered)),
                    sum("找零", "Change", figure(change)),
                ]
            });
            (three(&sums), cash.unwrap_or_default())
        }
    };
    let name = customer::name(state).map(|name| mask_name(&name));
    View {
        institution: state.setup.institution.name.as_str().into(),
        complaints_phone: state.complaints_phone().into(),
        name: name
            .filter(|_| !sums.is_empty() && !testing)
            .unwrap_or_default()
            .into(),
        provisional: customer::provisional(state) && !sums.is_empty(),
        sums,
        cash,
    }
}

fn three(sums: &Sums) -> Vec<CustomerSum> {
    vec![
        sum("合计", "Total", figure(sums.total)),
        sum(
            "医保支付",
            "Insurance pays",
            sums.insurance.map_or_else(|| "–".to_owned(), figure),
        ),
        sum("应付现金", "To pay", figure(sums.due)),
    ]
}

fn test() -> Vec<CustomerSum> {
    let nothing = || "888,888.88".to_owned();
    vec![
        sum("测试", "Test", nothing()),
        sum("测试", "Test", nothing()),
        sum("测试", "Test", nothing()),
    ]
}

fn sum(zh: &str, en: &str, amount: String) -> CustomerSum {
    CustomerSum {
        zh: zh.into(),
        en: en.into(),
        amount: amount.into(),
    }
}

/// Shows a screen's part for the customer.
pub fn apply(window: &CustomerWindow, screen: &Screen) {
    let view = &screen.customer;
    window.set_institution(view.institution.clone());
    window.set_name(view.name.clone());
    window.set_complaints(match view.complaints_phone.as_str() {
        "" => SharedString::new(),
        phone => format!("医保监督举报电话 {phone}  ·  Complaints about medical insurance").into(),
    });
    window.set_idle(view.sums.is_empty());
    window.set_greeting("欢迎光临".into());
    window.set_greeting_en("Welcome".into());
    let model = |rows: &[CustomerSum]| ModelRc::from(Rc::new(VecModel::from(rows.to_vec())));
    window.set_sums(model(&view.sums));
    window.set_cash(model(&view.cash));
    window.set_remark(if view.provisional {
        "暂定金额，以医保经办机构结算为准".into()
    } else {
        SharedString::new()
    });
}
