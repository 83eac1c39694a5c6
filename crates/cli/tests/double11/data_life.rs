//! Catalogues from CSV, goods that come in, and stores on servers that are not there.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{PROGRAM, Server, both, run, store_path, store_url};

const CATALOGUE: &str = "\
product_id,name,name_en,category,price,stock
1,\"耳機, 無線\",Wireless earphones,數碼,199.00,1
2,毛衣,Sweater,服飾,0.5,0
";

fn import(folder: &Path, catalogue: &str) -> Output {
    let file = folder.join("catalogue.csv");
    std::fs::write(&file, catalogue).unwrap();
    let file = file.into_os_string().into_string().unwrap();
    run(["import", "--store", &store_url(folder), &file])
}

fn restock(folder: &Path, product: &str, pieces: &str) -> Output {
    run(["restock", "--store", &store_url(folder), product, pieces])
}

fn check(output: &Output, code: i32, words: &[&str]) {
    let said = both(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing: {said}");
    }
}

#[test]
fn a_catalogue_is_imported_sold_and_restocked() {
    let folder = tempfile::tempdir().unwrap();
    let imported = import(folder.path(), CATALOGUE);
    check(&imported, 0, &["2 products with 1 pieces"]);
    check(
        &import(folder.path(), CATALOGUE),
        2,
        &["has a catalogue of 2 products"],
    );
    let server = Server::start(folder.path(), &[]);
    check(
        &restock(folder.path(), "2", "3"),
        3,
        &["in use by another shop", "stop the other shop"],
    );
    let product = |id: i64| -> serde_json::Value {
        let url = format!("{}/api/products/{id}", server.target);
        let mut answer = ureq::get(&url).call().unwrap();
        serde_json::from_reader(answer.body_mut().as_reader()).unwrap()
    };
    assert_eq!(product(1)["name"], "耳機, 無線");
    assert_eq!(product(2)["price"].to_string().trim_matches('"'), "0.5");
    assert_eq!(product(2)["in_stock"], false);
    assert!(server.terminate().success());
    check(
        &restock(folder.path(), "2", "3"),
        0,
        &["3 pieces of product 2"],
    );
    check(&restock(folder.path(), "3", "1"), 2, &["no product 3"]);
    check(&restock(folder.path(), "2", "0"), 2, &["0"]);
    let audit = run(["audit", "--store", &store_url(folder.path())]);
    check(&audit, 0, &["2 products, 0 orders"]);
    let server = Server::start(folder.path(), &[]);
    let url = format!("{}/api/products/2", server.target);
    let answer = ureq::get(&url).call().unwrap().body_mut().read_to_string();
    assert!(answer.unwrap().contains("\"in_stock\":true"));
}

#[test]
fn what_is_wrong_is_named_and_leaves_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = CATALOGUE.replace("0.5", "0.555");
    check(
        &import(folder.path(), &wrong),
        2,
        &["line 3", "price is `0.555`", "hint: "],
    );
    assert!(!store_path(folder.path()).exists());
    check(
        &restock(folder.path(), "1", "1"),
        3,
        &["does not exist", "hint: "],
    );
    assert!(!store_path(folder.path()).exists());
    let nowhere = run([
        "import",
        "--store",
        &store_url(folder.path()),
        "no-such-file.csv",
    ]);
    check(&nowhere, 2, &["no-such-file.csv"]);
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let audit = |url: &str| {
        Command::new(PROGRAM)
            .args(["audit", "--store", url])
            .env("DOUBLE11_STORE_PASSWORD", "s3cret")
            .output()
            .unwrap()
    };
    let output = audit("mysql://shop:s3cret@127.0.0.1:1/double11");
    check(
        &output,
        3,
        &[
            "mysql://shop@127.0.0.1:1/double11",
            "cannot be reached",
            "hint: ",
        ],
    );
    assert!(!both(&output).contains("s3cret"), "{}", both(&output));
    let output = audit("mysql://shop:s3cret@127.0.0.1:1");
    check(&output, 3, &["names no database", "hint: "]);
    assert!(!both(&output).contains("s3cret"), "{}", both(&output));
    let output = audit("postgres://shop:s3cret@127.0.0.1/double11");
    check(&output, 2, &["is not a store", "mysql://"]);
    assert!(!both(&output).contains("s3cret"), "{}", both(&output));
}
