//! The same work as people do it with the SDK for Rust: tasks that receive ten, write each with its audit record in one
//! transaction, delete the ten.
//!
//! Works until the queue gives nothing any more. The settings are table-updater's own variables (TABLE_NAME,
//! AUDIT_LOG_TABLE, QUEUE_URL, AWS_...); PEER_TASKS: how many receive at once;
//! PEER_THREADS: 1 for a single one, else as many as there are cores.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A message of the measurements.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateMessage {
    id: String,
    attributes: Map<String, Value>,
    /// A name, an operator, a number.
    condition_expression: String,
    enable_logging: bool,
}

struct Worker {
    sqs: aws_sdk_sqs::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    queue: String,
    table: String,
    audit_table: String,
}

fn attribute_value(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(items) => AttributeValue::L(items.iter().map(attribute_value).collect()),
        Value::Object(members) => AttributeValue::M(attribute_map(members)),
    }
}

fn attribute_map(members: &Map<String, Value>) -> HashMap<String, AttributeValue> {
    members
        .iter()
        .map(|(name, value)| (name.clone(), attribute_value(value)))
        .collect()
}

fn parse(body: &str) -> Result<UpdateMessage> {
    let update: UpdateMessage = serde_json::from_str(body)?;
    if update.id.is_empty() || update.attributes.is_empty() {
        return Err("ID and attributes are required".into());
    }
    Ok(update)
}

impl Worker {
    fn record_update(&self, update: &UpdateMessage) -> Result<Update> {
        let words: Vec<&str> = update.condition_expression.split_whitespace().collect();
        let [name, operator, limit] = words[..] else {
            return Err("the condition is no comparison of a name and a number".into());
        };
        let mut changed = Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(update.id.clone()))
            .condition_expression(format!("attribute_exists(#id) AND #c {operator} :c"))
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#c", name)
            .expression_attribute_values(":c", AttributeValue::N(limit.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut expression = String::from("SET ");
        for (n, (name, value)) in update.attributes.iter().enumerate() {
            expression += &format!("{}#{n} = :{n}", if n > 0 { ", " } else { "" });
            changed = changed
                .expression_attribute_names(format!("#{n}"), name)
                .expression_attribute_values(format!(":{n}"), attribute_value(value));
        }
        Ok(changed.update_expression(expression).build()?)
    }

    fn audit_record(&self, id: &str, body: &str, update: &UpdateMessage) -> Result<Put> {
        let log_id = hex::encode(Sha256::digest(format!("{}\0{id}", self.table)));
        let now = DateTime::from(SystemTime::now()).fmt(Format::DateTime)?;
        let text = |value: &str| AttributeValue::S(value.into());
        Ok(Put::builder()
            .table_name(&self.audit_table)
            .item("log_id", text(&log_id))
            .item("timestamp", text(&now))
            .item("table_name", text(&self.table))
            .item("record_id", text(&update.id))
            .item(
                "updated_attributes",
                AttributeValue::M(attribute_map(&update.attributes)),
            )
            .item("user_agent", text("peer"))
            .item("status", text("success"))
            .item("idempotency_key", text(id))
            .item("request_hash", text(&hex::encode(Sha256::digest(body))))
            .condition_expression("attribute_not_exists(log_id)")
            .build()?)
    }

    async fn apply(&self, message: &Message) -> Result<()> {
        let id = message.message_id().ok_or("a message without an id")?;
        let body = message.body().ok_or("a message without a body")?;
        let update = parse(body)?;
        let change = TransactWriteItem::builder()
            .update(self.record_update(&update)?)
            .build();
        let mut request = self
            .dynamodb
            .transact_write_items()
            .client_request_token(id)
            .transact_items(change);
        if update.enable_logging {
            let put = self.audit_record(id, body, &update)?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        request.send().await?;
        Ok(())
    }

    async fn delete(&self, messages: &[Message]) -> Result<()> {
        let mut request = self.sqs.delete_message_batch().queue_url(&self.queue);
        for (n, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .set_receipt_handle(message.receipt_handle.clone())
                .build()?;
            request = request.entries(entry);
        }
        let answer = request.send().await?;
        match answer.failed() {
            [] => Ok(()),
            failed => Err(format!("not deleted: {failed:?}").into()),
        }
    }

    async fn work(&self) -> Result<()> {
        loop {
            let answer = self
                .sqs
                .receive_message()
                .queue_url(&self.queue)
                .max_number_of_messages(10)
                .wait_time_seconds(1)
                .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .send()
                .await?;
            let messages = answer.messages();
            if messages.is_empty() {
                return Ok(());
            }
            for message in messages {
                self.apply(message).await?;
            }
            self.delete(messages).await?;
        }
    }
}

async fn settings() -> Result<aws_config::SdkConfig> {
    let mut tls = TlsContext::builder();
    if let Ok(path) = env::var("AWS_CA_BUNDLE") {
        tls = tls.with_trust_store(TrustStore::empty().with_pem_certificate(std::fs::read(path)?));
    }
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls.build()?)
        .build_https();
    Ok(aws_config::from_env().http_client(client).load().await)
}

async fn run() -> Result<()> {
    let settings = settings().await?;
    let sqs = aws_sdk_sqs::Client::new(&settings);
    let named = sqs
        .get_queue_url()
        .queue_name(env::var("QUEUE_URL")?)
        .send()
        .await?;
    let worker = Arc::new(Worker {
        dynamodb: aws_sdk_dynamodb::Client::new(&settings),
        sqs,
        queue: named.queue_url().ok_or("no such queue")?.into(),
        table: env::var("TABLE_NAME")?,
        audit_table: env::var("AUDIT_LOG_TABLE")?,
    });
    let mut tasks = JoinSet::new();
    for _ in 0..env::var("PEER_TASKS")?.parse::<usize>()? {
        let worker = Arc::clone(&worker);
        tasks.spawn(async move { worker.work().await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut runtime = match env::var("PEER_THREADS").as_deref() {
        Ok("1") => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(run())
}
