//! Every code a split can leave behind, with its words and what the cashier can do, in Chinese and English.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The language of words for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// 中文
    #[default]
    Zh,
    /// English
    En,
}

impl Lang {
    /// One of two wordings.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

/// Where a code may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// `code` of a refusal: nothing was settled.
    Refusal,
    /// In `notes` of a settlement.
    Note,
    /// In `excluded` of a settlement: the line is on none of the sums.
    Excluded,
}

/// One code with its words.
#[derive(Clone, Copy, Debug)]
pub struct CodeText {
    /// The code.
    pub code: Code,
    /// Where it may stand.
    pub kind: CodeKind,
    zh: &'static str,
    en: &'static str,
    advice_zh: &'static str,
    advice_en: &'static str,
}

impl CodeText {
    /// What it means.
    pub fn text(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }

    /// What the cashier can do now.
    pub fn advice(&self, lang: Lang) -> &'static str {
        lang.pick(self.advice_zh, self.advice_en)
    }
}

macro_rules! code_table {
    ($($name:ident $text:literal $kind:ident { $zh:literal, $en:literal, $advice_zh:literal, $advice_en:literal })*) => {
        /// A stable code of a refusal, note or excluded line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $en] #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// The code as it is written everywhere.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// Its words.
            pub fn text(self) -> &'static CodeText {
                match self {
                    $(Code::$name => {
                        const TEXT: CodeText = CodeText {
                            code: Code::$name, kind: CodeKind::$kind,
                            zh: $zh, en: $en, advice_zh: $advice_zh, advice_en: $advice_en,
                        };
                        &TEXT
                    })*
                }
            }
        }

        const CODES: &[CodeText] = &[$(CodeText {
            code: Code::$name, kind: CodeKind::$kind,
            zh: $zh, en: $en, advice_zh: $advice_zh, advice_en: $advice_en,
        }),*];
    };
}

code_table! {
    NoPack "NO_PACK" Refusal {
        "没有适用于该险种、参保地和日期的规则包。",
        "No rule pack answers for this insurance type, place and date.",
        "核对险种、参保地和日期；更新规则包；急用时全额自费并留存票据。",
        "Check insurance type, place and date; update the rule packs; in urgent cases sell for cash and keep the receipt."
    }
    NotInsured "NOT_INSURED" Refusal {
        "参保状态不正常或待遇已终止。",
        "The person is not insured, or the benefits have ended.",
        "请参保人向医保经办机构查询参保状态；可全额自费。",
        "Ask the person to check with the agency; the sale can be paid in cash."
    }
    WaitingPeriod "WAITING_PERIOD" Refusal {
        "待遇尚未开始（等待期）。",
        "Benefits have not begun yet (waiting period).",
        "告知待遇开始日期；此前费用全额自费。",
        "Tell the first day of benefits; until then the person pays in full."
    }
    InstitutionSuspended "INSTITUTION_SUSPENDED" Refusal {
        "本机构已被暂停医疗保险基金结算。",
        "Fund settlement is suspended for this institution.",
        "不得使用医保结算；请负责人联系医保经办机构。",
        "Do not settle through the insurance; the manager must call the agency."
    }
    DepartmentSuspended "DEPARTMENT_SUSPENDED" Refusal {
        "该科室涉及医保基金使用的医药服务已被暂停。",
        "Services paid by the fund are suspended for this department.",
        "不得使用医保结算；请到其他科室就诊，或全额自费。",
        "Do not settle through the insurance; send the person to another department, or sell for cash."
    }
    PractitionerNotListed "PRACTITIONER_NOT_LISTED" Refusal {
        "该医师不在医保执业人员信息库中。",
        "The physician does not stand in the base of practitioners of the insurance.",
        "请库内医师开具处方，或向经办机构办理变更后再结算。",
        "Have a listed physician prescribe, or notify the agency of the change and settle then."
    }
    QuantityAboveNeed "QUANTITY_ABOVE_NEED" Refusal {
        "数量超过处方天数所需（超量开药）。",
        "The quantity is above what the days of the prescription need.",
        "按处方天数改小数量，或核对天数和每日用量。",
        "Reduce the quantity to the days prescribed, or check the days and the daily use."
    }
    PriceAboveCash "PRICE_ABOVE_CASH" Refusal {
        "医保结算价格高于现金价格。",
        "The insured price is above the cash price of the same article.",
        "按现金价格修改单价后重新结算。",
        "Set the price to the cash price and settle again."
    }
    BenefitNotRegistered "BENEFIT_NOT_REGISTERED" Refusal {
        "该病种没有有效的慢性病或特殊病备案。",
        "The disease has no valid registration as a chronic or special disease.",
        "核对病种编码和备案日期；无备案的改按普通门诊结算。",
        "Check the disease code and the dates of the registration; without one settle as an ordinary visit."
    }
    BenefitBelowTier "BENEFIT_BELOW_TIER" Refusal {
        "该待遇不在本级别机构享受。",
        "This benefit is not given at an institution of this level.",
        "请到二级及以上定点医疗机构就诊，或按自费结算。",
        "Refer the person to an institution of the required level, or sell for cash."
    }
    MedTypeNotCovered "MED_TYPE_NOT_COVERED" Refusal {
        "规则包没有该医疗类别的待遇。",
        "The rule pack has no benefit for this med_type at this kind of institution.",
        "核对医疗类别和机构类型。",
        "Check the med_type and the kind of institution."
    }
    PersonTypeNotCovered "PERSON_TYPE_NOT_COVERED" Refusal {
        "规则包没有该人员类别的比例。",
        "The rule pack has no figure for this psn_type.",
        "核对人员类别；离休等特殊人员按专门规定结算。",
        "Check the psn_type; special groups are settled by their own rules."
    }
    FigureNotPublished "FIGURE_NOT_PUBLISHED" Refusal {
        "办法授权另行制定的数值尚未公布。",
        "A figure that the regulation leaves to a later document is not published.",
        "全额自费并留存票据，向参保地经办机构申请报销；公布后更新规则包。",
        "Sell for cash and keep the papers for a claim at the home agency; update the pack when the figure appears."
    }
    AmountTooLarge "AMOUNT_TOO_LARGE" Refusal {
        "金额超出可计算的范围。",
        "The amounts are too large to settle.",
        "核对单价和数量。",
        "Check prices and quantities."
    }
    SumsDoNotHold "SUMS_DO_NOT_HOLD" Refusal {
        "计算结果的各项之和不相符，未结算。",
        "The parts of the result do not add up; nothing was settled.",
        "这是程序错误：保存该单并报告；全额自费。",
        "This is a fault of the program: keep the bill and report it; sell for cash."
    }
    AdvancePayment "ADVANCE_PAYMENT" Note {
        "暂停联网结算：费用由参保人员全额垫付。",
        "Network settlement is suspended: the person pays the whole bill in advance.",
        "收取全额现金，出具票据，告知凭票据向经办机构申请。",
        "Take the full amount in cash, give the papers, explain how to claim at the agency."
    }
    CauseNotPayable "CAUSE_NOT_PAYABLE" Note {
        "该原因产生的费用，医保基金不予支付。",
        "The fund does not pay for this cause.",
        "向参保人说明应由谁负担；记录原因。",
        "Explain who bears the cost; record the cause."
    }
    SupplementNotPaid "SUPPLEMENT_NOT_PAID" Note {
        "未参加该项补充保险，其基金未支付。",
        "The person is not insured in this supplement; its fund paid nothing.",
        "向参保人说明；补缴后的待遇由经办机构按规定处理。",
        "Explain it; what a later payment brings is for the agency to decide."
    }
    FamilyNotListed "FAMILY_NOT_LISTED" Note {
        "该家庭账户不能使用（未列入名单、关系或参保地不符），未扣款。",
        "This family account may not be used (not listed, relation or place) and was not debited.",
        "请账户持有人在“智慧医保”平台添加该亲属。",
        "The holder can add the relative on the provincial platform."
    }
    GoodsNotMedical "GOODS_NOT_MEDICAL" Excluded {
        "不属于医疗保险范围的物品，不得刷医保卡。",
        "Not goods of the medical insurance; must not be paid with the card.",
        "另开一单，现金结算。",
        "Sell it on a separate bill for cash."
    }
    ItemNotForDisease "ITEM_NOT_FOR_DISEASE" Excluded {
        "该项目与本次就诊的慢性病、特殊病无关，不属于该病种待遇。",
        "The item has nothing to do with the registered disease of the visit.",
        "另开一单，按普通门诊结算。",
        "Settle it on a separate bill as an ordinary visit."
    }
}

impl Code {
    /// What it means.
    pub fn says(self, lang: Lang) -> &'static str {
        self.text().text(lang)
    }

    /// What the cashier can do now.
    pub fn advice(self, lang: Lang) -> &'static str {
        self.text().advice(lang)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Every code, for the table in the docs and the terminal's advice.
pub fn codes() -> &'static [CodeText] {
    CODES
}
