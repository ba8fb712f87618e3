//! Ids of EC2 and its neighbours, which tell by their form what they are of. Knows no ARNs and no requests.

/// What the ids of EC2 and its neighbours start with, and the resource type they are of.
const ID_KINDS: &[(&str, &str)] = &[
    ("acl", "network-acl"),
    ("aki", "image"),
    ("ami", "image"),
    ("ari", "image"),
    ("cagw", "carrier-gateway"),
    ("cgw", "customer-gateway"),
    ("cr", "capacity-reservation"),
    ("cvpn-endpoint", "client-vpn-endpoint"),
    ("dopt", "dhcp-options"),
    ("eice", "instance-connect-endpoint"),
    ("eigw", "egress-only-internet-gateway"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("fl", "vpc-flow-log"),
    ("fleet", "fleet"),
    ("fs", "file-system"),
    ("fsap", "access-point"),
    ("h", "dedicated-host"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("ipam", "ipam"),
    ("ipam-pool", "ipam-pool"),
    ("key", "key-pair"),
    ("lgw", "local-gateway"),
    ("lgw-rtb", "local-gateway-route-table"),
    ("lt", "launch-template"),
    ("mi", "managed-instance"),
    ("nat", "natgateway"),
    ("pcx", "vpc-peering-connection"),
    ("pg", "placement-group"),
    ("pl", "prefix-list"),
    ("rtb", "route-table"),
    ("sfr", "spot-fleet-request"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("sir", "spot-instances-request"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("tgw", "transit-gateway"),
    ("tgw-attach", "transit-gateway-attachment"),
    ("tgw-rtb", "transit-gateway-route-table"),
    ("vgw", "vpn-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
    ("vpce-svc", "vpc-endpoint-service"),
    ("vpn", "vpn-connection"),
];

/// Whether resources of a type have such ids.
pub(crate) fn has_ids(kind: &str) -> bool {
    ID_KINDS.iter().any(|(_, known)| *known == kind)
}

/// The resource type an id is of: letters, a dash, 8 or 17 hexadecimal digits.
pub(crate) fn kind_of_id(text: &str) -> Option<&'static str> {
    let (prefix, digits) = text.rsplit_once('-')?;
    let is_id = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let at = ID_KINDS.binary_search_by(|(known, _)| (*known).cmp(prefix)).ok().filter(|_| is_id)?;
    ID_KINDS.get(at).map(|(_, kind)| *kind)
}

/// A name without regard to case and punctuation.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_by_their_form() {
        assert!(ID_KINDS.is_sorted_by_key(|(prefix, _)| *prefix));
        for (text, expected) in [
            ("i-0123456789abcdef0", Some("instance")),
            ("subnet-12345678", Some("subnet")),
            ("tgw-attach-0123456789abcdef0", Some("transit-gateway-attachment")),
            ("sg-default", None),
            ("subnet-123456789", None),
            ("my-app-deadbeef", None),
            ("", None),
        ] {
            assert_eq!(kind_of_id(text), expected, "{text}");
        }
    }
}
