use super::world::{NOON, World, case, filled, message, refused};

#[tokio::test]
async fn the_clients_of_a_domains_mail() {
    let world = World::new();
    let cases = [
        case(1),
        refused(2),
        case(3),
        message(4, "2001:db8::3", "dave@pass.example"),
        message(5, "192.0.2.9", "eve@other.example"),
        // A part of the domain speaks for itself.
        message(6, "192.0.2.9", "eve@mail.sender.example"),
    ];
    let store = filled(&world, &cases).await;
    let told = |recorded: crate::RecordedSenders| {
        let senders = recorded.traffic.senders.into_iter();
        let senders: Vec<_> =
            senders.map(|one| (one.address.to_string(), one.count, one.reverse_path)).collect();
        (senders, recorded.messages, recorded.more)
    };
    let sender =
        |address: &str, count: u64, path: &str| (address.to_owned(), count, path.to_owned());
    let all = store.senders("pass.example", None).await.unwrap();
    assert_eq!(
        told(all),
        (
            vec![
                sender("2001:db8::3", 1, "dave@pass.example"),
                sender("192.0.2.1", 2, "alice@pass.example"),
                sender("203.0.113.9", 1, "mallory@pass.example"),
            ],
            4,
            false
        )
    );
    let late = store.senders("pass.example", Some(NOON + 4)).await.unwrap();
    assert_eq!(told(late), (vec![sender("2001:db8::3", 1, "dave@pass.example")], 1, false));
    let nobody = store.senders("example", None).await.unwrap();
    assert_eq!(told(nobody), (Vec::new(), 0, false));
}
