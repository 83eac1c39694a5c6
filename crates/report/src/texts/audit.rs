//! What each check of the audit proves, in Chinese. English comes with the report.

/// The words for the check of this name; `None` for a check that this version does not know.
pub(super) fn chinese(name: &str) -> Option<&'static str> {
    CHECKS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, words)| *words)
}

/// English has its words in the report itself.
pub(super) fn none(_: &str) -> Option<&'static str> {
    None
}

/// Why a check was not carried out, in Chinese, by the auditor's English words.
pub(super) fn reason_chinese(reason: &str) -> Option<&'static str> {
    REASONS
        .iter()
        .find(|(known, _)| *known == reason)
        .map(|(_, words)| *words)
}

const REASONS: [(&str, &str); 5] = [
    ("no gateway ledger was given", "沒有提供支付閘道的帳本"),
    ("no client ledger was given", "沒有提供用戶端的帳本"),
    (
        "the client ledgers are not known to hold every write to this store",
        "無法確定用戶端帳本記有對這個資料庫的每一次寫入",
    ),
    (
        "the last line of a client ledger is torn, so a write may be missing from it",
        "用戶端帳本的最後一行不完整，可能少了一筆寫入",
    ),
    (
        "the store was not required to be settled",
        "這次稽核不要求資料庫已經結清",
    ),
];

/// Every check of the auditor by name.
#[rustfmt::skip]
pub(super) const CHECKS: [(&str, &str); 33] = [
    ("file-intact", "結構要求必填的欄位都有值；若是檔案，SQLite 確認每一頁都完好；若在伺服器上，讀到的列數與伺服器的計數相同，每個值的型別都正確。兩者都不看 CHECK 限制，由其他檢查負責。"),
    ("stock-complete", "商品與庫存一一對應，數量與商店建立時相同，沒有訂單包含缺少庫存紀錄的商品。"),
    ("stock-changes", "尚未併入庫存列的每一筆變動都能讀取、屬於有庫存的商品，且與庫存列對「是否有貨」的說法一致。"),
    ("stock-equation", "沒有任何一件商品憑空出現或消失，也沒有負數：進貨 = 可售 + 已保留 + 已售。"),
    ("reserved-matches-orders", "每一筆保留都屬於未結案的訂單，每一筆未結案的訂單都有它的保留：沒有遺失任何庫存更新。"),
    ("sold-matches-orders", "每一件售出的商品都屬於已付款的訂單，每一筆已付款的訂單都有它的商品。"),
    ("no-oversell", "未結案與已付款的訂單合計，任何商品都沒有超過進貨數量：沒有超賣。"),
    ("order-totals", "沒有只寫了一半的訂單：每筆訂單都有明細，每筆明細都有訂單，總額等於明細的總和。"),
    ("order-states", "全額請款的訂單就是已付款，部分請款的就是部分付款，已歸還庫存的就是已結案；反之亦然。"),
    ("order-payments", "已請款與處理中的金額等於各付款嘗試的總和，兩者合計不超過訂單總額。"),
    ("order-times", "訂單的到期時間在成立之後且不提早到期，沒有任何事發生在其原因之前或未來。"),
    ("closing-waits-for-payment", "計入訂單的付款嘗試，從開始到結束之間，該訂單都沒有到期或取消。"),
    ("attempt-ids-unique", "向支付閘道收費所用的鍵只代表一筆訂單的一次付款嘗試。"),
    ("attempt-states", "付款嘗試一旦不在處理中就有結束時間，在那之前沒有；付款人得知的訂單狀態，就是訂單後來實際的狀態。"),
    ("settled", "每一筆付款都有結果，每一筆退款都已執行。"),
    ("refunds-complete", "已結案訂單的每一次請款，以及每一次遲到請款，都有對應的退款。"),
    ("refunds-justified", "每一筆退款都對應遲到請款或已結案訂單的請款，而且全額退回。"),
    ("charged-once", "依支付閘道自己的帳，每次付款嘗試最多收費一次、退款一次，且退款與收費金額相同。"),
    ("captures-match-gateway", "每一次收到錢的付款嘗試，在支付閘道都有同額同幣別的請款；支付閘道也沒有商店不知道的請款。"),
    ("refunds-match-gateway", "每一筆完成的退款都由支付閘道執行過，而它沒有執行過商店不知道的退款。"),
    ("gateway-balance", "請款總額減退款總額，在商店與支付閘道完全相同；仍在處理中的不計入任何一邊。"),
    ("keys-name-their-writes", "每個冪等鍵都指向同一使用者既有的訂單或付款嘗試；可能收過錢的嘗試持有它取得的鍵，被拒絕的則已釋放。"),
    ("one-key-per-write", "每筆訂單與每次付款嘗試最多對應一個冪等鍵。"),
    ("carts-match-orders", "購物車與它變成的訂單互相指認且內容相同，沒有購物車變成兩筆訂單。"),
    ("acknowledged-orders-stored", "用戶端看到成立的訂單沒有遺失或變更：編號、使用者、總額與品項都與當時回覆的相同。"),
    ("acknowledged-payments-stored", "用戶端看到請款成功的付款沒有遺失或變更；回覆時仍在處理中的也都存在。"),
    ("acknowledged-carts-stored", "用戶端在購物車中看到的商品沒有遺失，不論購物車仍開啟或已成為訂單。"),
    ("acknowledged-keys-stored", "每一筆已回覆的訂單與付款，其冪等鍵都與該筆寫入一起儲存，重試只會得到同一個答案而不會再執行一次。"),
    ("one-answer-per-key", "同一個鍵的每次回覆都指向同一筆寫入，沒有兩筆不同的寫入得到相同的訂單或付款。"),
    ("stored-orders-explained", "沒有哪一筆訂單是所有用戶端都不知道的，除非送出它的用戶端始終沒有得知結果：沒有寫入被執行兩次。"),
    ("stored-payments-explained", "沒有哪一次收了錢或占用金額的付款嘗試是所有用戶端都不知道的，除非送出它的用戶端始終沒有得知結果；被拒絕的嘗試，以及會退款的遲到請款，由其他檢查負責。"),
    ("refused-writes-left-nothing", "只被拒絕過的鍵沒有被儲存，因此重試仍可能成功。"),
    ("sold-out-justified", "從被拒絕的訂單送出前一秒到得到回覆之間，確實有一刻庫存少於所要的數量：沒有漏賣。"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in the source of the auditor, which this crate must not depend on: its words for
    /// them would otherwise go stale unseen.
    #[test]
    fn every_check_of_the_auditor_has_chinese_words() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../audit/src/checks");
        let mut folders = vec![std::path::PathBuf::from(folder)];
        let mut names = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(path).unwrap();
                names.extend(source.lines().filter_map(|line| {
                    let name = line.trim().strip_prefix("id: \"")?.strip_suffix("\",")?;
                    Some(name.to_owned())
                }));
            }
        }
        names.sort_unstable();
        let mut known: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
