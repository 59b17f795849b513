//! Files, and the calls whose recordings they are.

use std::fmt::Write;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use stand_in::hubspot;

use crate::Api;

const FILES: &str = "/files/2026-09/files";
const AUDIO: &str = "ID3 a call\r\n--and no end\r\n";

fn options() -> String {
    json!({
        "access": "PRIVATE", "overwrite": false,
        "duplicateValidationStrategy": "RETURN_EXISTING", "duplicateValidationScope": "EXACT_FOLDER",
    })
    .to_string()
}

/// A form of these fields, and of a file with these bytes.
fn form(fields: &[(&str, &str)], audio: &str) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        write!(form, "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").unwrap();
    }
    form += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"1.mp3\"\r\n";
    form + "Content-Type: audio/mpeg\r\n\r\n" + audio + "\r\n--b--\r\n"
}

async fn upload(api: &Api, form: String) -> (u16, Value) {
    let request = api.request("POST", FILES).header(CONTENT_TYPE, "multipart/form-data; boundary=b");
    let response = request.body(form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_file_is_there_once_and_stands_beside_the_call_whose_recording_it_is() {
    let api = Api::start().await;
    let options = options();
    let fields = [("fileName", "1.mp3"), ("folderPath", "/calls"), ("options", &*options)];
    let (status, file) = upload(&api, form(&fields, AUDIO)).await;
    assert_eq!((status, &file["name"], &file["extension"]), (201, &json!("1"), &json!("mp3")), "{file}");
    assert_eq!(upload(&api, form(&fields, AUDIO)).await.1["id"], file["id"]);
    let files = api.stand_in.hubspot().files();
    assert_eq!(
        (files.len(), files[0].size, files[0].content_type.as_str()),
        (1, AUDIO.len() as u64, "audio/mpeg")
    );
    // Another of its name.
    assert_eq!(upload(&api, form(&fields, "ID3")).await.1["name"], "1-1");

    api.upsert("cl_1").await;
    let url = format!("{}#1", file["url"].as_str().unwrap());
    let input = json!({ "idProperty": "external_call_id", "id": "cl_1", "properties": { "hs_call_recording_url": url } });
    api.send("POST", crate::UPSERT, Some(&json!({ "inputs": [input] }))).await.unwrap();
    let (_, calls) = api.get("/stand-in/calls").await;
    assert_eq!(calls[0]["recording"]["sha256"], files[0].sha256);

    let by_id =
        "/crm/objects/2026-09/calls/cl_1?idProperty=external_call_id&properties=hs_call_recording_url";
    let (status, call) = api.get(by_id).await;
    assert_eq!((status, &call["properties"]["hs_call_recording_url"]), (200, &json!(url)));
    assert_eq!(call["properties"]["hs_call_title"], json!(null));
    assert_eq!(api.get("/crm/objects/2026-09/calls/cl_2?idProperty=external_call_id").await.0, 404);
    assert_eq!(api.get("/crm/objects/2026-09/calls/cl_1?idProperty=hs_call_title").await.0, 400);
}

#[tokio::test]
async fn a_file_without_what_it_needs_or_for_everybody_is_refused() {
    let api = Api::start().await;
    let options = options();
    let public = options.replace("PRIVATE", "PUBLIC_INDEXABLE");
    let misspelt = options.replace("overwrite", "overWrite");
    let complete = [("fileName", "1.mp3"), ("folderPath", "/calls"), ("options", &*options)];
    let with = |at: usize, field| {
        let mut fields = complete;
        fields[at] = field;
        form(&fields, AUDIO)
    };
    for refused in [
        with(0, ("fileName", "")),
        with(1, ("folder", "/calls")),
        with(2, ("options", "{}")),
        with(2, ("options", &public)),
        with(2, ("options", &misspelt)),
        form(&complete, ""),
        form(&complete, AUDIO).replace("--b--", "--b"),
        AUDIO.to_owned(),
    ] {
        let (status, body) = upload(&api, refused.clone()).await;
        assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")), "{refused}");
    }
    assert!(api.stand_in.hubspot().files().is_empty());

    let api = Api::start_as(hubspot::Options { without_files: true, ..Default::default() }).await;
    let (status, body) = upload(&api, form(&complete, AUDIO)).await;
    assert_eq!((status, &body["category"]), (403, &json!("MISSING_SCOPES")));
}
