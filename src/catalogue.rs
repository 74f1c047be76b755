//! Goods and services this till sells, found by bar code, code, trace code prefix or pinyin initials.

use serde::{Deserialize, Deserializer, Serialize};
use yijie_hardware::TraceCodes;
use yijie_rules::{Flag, Goods, ItemClass, Money, Ratio, RxFlag, UnitPrice};

/// One item of the institution's price list with its place in the insurance catalogue.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// med_list_codg, the national code; blank for goods without one.
    pub code: String,
    /// Name on screen and receipt.
    pub name: String,
    /// Strength, pack size, maker.
    #[serde(default)]
    pub spec: String,
    /// Pinyin initials, lower case: amxl finds 阿莫西林.
    pub initials: String,
    /// EAN-13 / GTIN, if the pack carries one.
    #[serde(default)]
    pub barcode: String,
    /// First seven digits of its trace codes (药品标识码).
    #[serde(default)]
    pub trace_prefix: String,
    /// chrgitm_lv: 01 甲, 02 乙, 03 丙.
    pub level: ItemClass,
    /// selfpay_prop: share of an item of class 乙 that the patient bears first.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ratio")]
    pub selfpay_prop: Option<Ratio>,
    /// pric_uplmt_amt: highest price the fund looks at; blank for none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unit_price"
    )]
    pub price_limit: Option<UnitPrice>,
    /// Price under insurance, yuan.
    #[serde(deserialize_with = "amount")]
    pub price: Money,
    /// Price for cash, if another.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "amount_or_blank"
    )]
    pub cash_price: Option<Money>,
    /// drug, service, consumable, device, food, cosmetic, daily, other.
    pub goods: Goods,
    /// 1 if a nationally negotiated drug.
    pub negotiated: Flag,
    /// 0 without, 1 with prescription, 2 either; blank: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rx_flag: Option<RxFlag>,
    /// Beginnings of the disease codes that the catalogue links it with, between blanks; blank: not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub diseases: String,
}

impl Item {
    /// The diseases it is linked with, as a claim says them.
    pub(crate) fn for_diseases(&self) -> Option<Vec<yijie_rules::SmolStr>> {
        let codes: Vec<_> = self.diseases.split_whitespace().map(Into::into).collect();
        (!codes.is_empty()).then_some(codes)
    }
}

/// A number as its digits: a CSV reader left to guess would make it a float.
fn digits<'de, D: Deserializer<'de>, T, E: std::fmt::Display>(
    from: D,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, D::Error> {
    match Option::<String>::deserialize(from)? {
        Some(text) if !text.is_empty() => parse(&text).map(Some).map_err(serde::de::Error::custom),
        _ => Ok(None),
    }
}

fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
    digits(from, Money::parse)?.ok_or_else(|| serde::de::Error::missing_field("price"))
}

fn amount_or_blank<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Money>, D::Error> {
    digits(from, Money::parse)
}

fn ratio<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ratio>, D::Error> {
    digits(from, Ratio::parse)
}

fn unit_price<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UnitPrice>, D::Error> {
    digits(from, UnitPrice::parse)
}

/// Why a price list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A row is not an item.
    #[error("row {row}: {source}")]
    Row {
        /// Row in the file, the header being 1.
        row: usize,
        /// What is wrong.
        source: csv::Error,
    },
    /// Two rows have the same code.
    #[error("row {row}: code stands twice")]
    Twice {
        /// Row of the second.
        row: usize,
    },
}

impl CatalogueError {
    /// Stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            CatalogueError::Row { .. } => "CATALOGUE_ROW_UNREADABLE",
            CatalogueError::Twice { .. } => "CATALOGUE_CODE_TWICE",
        }
    }
}

/// The price list in memory.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    items: Vec<Item>,
    trace_codes: TraceCodes,
}

/// What a typed or scanned text found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Exactly this item: sell it.
    One(&'a Item),
    /// These fit what was typed so far.
    Several(Vec<&'a Item>),
}

impl Catalogue {
    /// A list of items.
    #[must_use]
    pub fn new(items: Vec<Item>) -> Catalogue {
        Catalogue {
            items,
            trace_codes: TraceCodes::default(),
        }
    }

    /// The same with the till's own rules for trace codes.
    #[must_use]
    pub fn with_trace_codes(self, trace_codes: TraceCodes) -> Catalogue {
        Catalogue { trace_codes, ..self }
    }

    /// Whether a text is a drug's trace code at this till.
    #[must_use]
    pub fn is_trace_code(&self, text: &str) -> bool {
        self.trace_codes.fit(text)
    }

    /// All items.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Reads a price list in CSV (UTF-8, header with the field names of [`Item`]).
    ///
    /// # Errors
    /// [`CatalogueError`] with the row.
    pub fn from_csv(text: &str) -> Result<Vec<Item>, CatalogueError> {
        let mut items: Vec<Item> = Vec::new();
        let mut codes = std::collections::BTreeSet::new();
        for (index, row) in csv::Reader::from_reader(text.as_bytes())
            .deserialize::<Item>()
            .enumerate()
        {
            let item = row.map_err(|source| CatalogueError::Row {
                row: index + 2,
                source,
            })?;
            if !item.code.is_empty() && !codes.insert(item.code.clone()) {
                return Err(CatalogueError::Twice { row: index + 2 });
            }
            items.push(item);
        }
        Ok(items)
    }

    /// The item a code on a pack belongs to: bar code, national code or trace code.
    #[must_use]
    pub fn by_code(&self, text: &str) -> Option<&Item> {
        let traced = self.is_trace_code(text);
        self.items.iter().find(|item| {
            (!item.barcode.is_empty() && item.barcode == text)
                || (!item.code.is_empty() && item.code.eq_ignore_ascii_case(text))
                || (traced && !item.trace_prefix.is_empty() && text.starts_with(&item.trace_prefix))
        })
    }

    /// What a text typed at the counter finds: a code exactly, else names and initials that fit, best first.
    #[must_use]
    pub fn find(&self, text: &str) -> Found<'_> {
        let text = text.trim();
        if let Some(item) = self.by_code(text) {
            return Found::One(item);
        }
        let typed = text.to_lowercase();
        if typed.is_empty() {
            return Found::Several(Vec::new());
        }
        let rank = |item: &Item| {
            if item.initials == typed || item.name == typed {
                Some(0)
            } else if item.initials.starts_with(&typed) || item.name.starts_with(&typed) {
                Some(1)
            } else if item.name.contains(&typed) || item.initials.contains(&typed) {
                Some(2)
            } else {
                None
            }
        };
        let mut fitting: Vec<(u8, &Item)> = self
            .items
            .iter()
            .filter_map(|item| rank(item).map(|rank| (rank, item)))
            .collect();
        fitting.sort_by_key(|(rank, _)| *rank);
        Found::Several(fitting.into_iter().map(|(_, item)| item).take(9).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drug_may_need_a_prescription() {
        let list = "code,name,initials,level,price,goods,negotiated,rx_flag\n";
        for (written, read) in [
            ("1", Some(RxFlag::Prescription)),
            ("0", Some(RxFlag::Otc)),
            ("", None),
        ] {
            let items = Catalogue::from_csv(&format!("{list}A,甲,j,01,1.00,drug,0,{written}\n")).unwrap();
            assert_eq!(items[0].rx_flag, read);
        }
        assert!(Catalogue::from_csv(&format!("{list}A,甲,j,01,1.00,drug,0,3\n")).is_err());
    }

    const LIST: &str = "code,name,spec,initials,barcode,trace_prefix,level,selfpay_prop,price_limit,price,cash_price,goods,negotiated
XA0001,阿莫西林胶囊,0.25g×24,amxljn,6901234567892,8123456,01,,,12.50,,drug,0
XA0002,阿莫西林克拉维酸钾片,0.457g×8,amxlklwsjp,,,02,0.05,,38.00,39.00,drug,0
";

    #[test]
    fn every_way_to_name_an_item_finds_it() {
        let list = Catalogue::new(Catalogue::from_csv(LIST).unwrap());
        for exact in ["6901234567892", "xa0001", "81234560000000000001"] {
            assert!(
                matches!(list.find(exact), Found::One(item) if item.code == "XA0001"),
                "{exact}"
            );
        }
        for (typed, found) in [
            ("amxl", 2),
            ("阿莫西林", 2),
            ("克拉", 1),
            ("jn", 1),
            ("zz", 0),
            ("", 0),
        ] {
            assert!(
                matches!(list.find(typed), Found::Several(items) if items.len() == found),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_bad_row_is_named() {
        let twice = format!("{LIST}XA0001,又,,y,,,01,,,1.00,,drug,0\n");
        assert_eq!(
            Catalogue::from_csv(&twice).unwrap_err().code(),
            "CATALOGUE_CODE_TWICE"
        );
        for (good, bad) in [
            ("12.50", "twelve"),
            (",0.05,", ",half,"),
            (",02,", ",2,"),
            ("drug,0\n", "toy,0\n"),
        ] {
            let error = Catalogue::from_csv(&LIST.replacen(good, bad, 1)).unwrap_err();
            assert!(error.to_string().starts_with("row "), "{error}");
        }
    }
}
