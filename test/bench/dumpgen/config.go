package dumpgen

import (
	"encoding/base64"
	"fmt"
)

const version = "2026-01-01T00:00:00Z/1"

func host(i int) string { return fmt.Sprintf("svc-%05d.load.svc.cluster.local", i) }

func clusterName(i int, subset string) string {
	return fmt.Sprintf("outbound|8080|%s|%s", subset, host(i))
}

// subsets are those of a service; "" is the whole.
func subsets(i int) []string {
	if i%subsetsEvery == 0 {
		return []string{"", "v1", "v2"}
	}
	return []string{""}
}

func owner(kind string, i int) object {
	return object{"filter_metadata": object{"istio": object{
		"config": fmt.Sprintf("/apis/networking.istio.io/v1/namespaces/load/%s/rule-%05d", kind, i),
	}}}
}

func bootstrap() object {
	return object{
		"node": object{
			"id": "sidecar~10.0.0.1~load-0.load~load.svc.cluster.local", "cluster": "load.load",
			"metadata":        object{"ISTIO_VERSION": "1.31.1", "CLUSTER_ID": "Kubernetes", "NAMESPACE": "load", "LABELS": object{"app": "load"}},
			"user_agent_name": "envoy", "user_agent_build_version": object{"version": object{"major_number": 1, "minor_number": 40}},
		},
	}
}

func sds(name string) object {
	return object{"name": name, "sds_config": object{
		"api_config_source": object{
			"api_type": "GRPC", "grpc_services": []any{object{"envoy_grpc": object{"cluster_name": "sds-grpc"}}},
			"set_node_on_first_message_only": true, "transport_api_version": "V3",
		},
		"initial_fetch_timeout": "0s", "resource_api_version": "V3",
	}}
}

func clusters(i int) []any {
	var all []any
	for _, subset := range subsets(i) {
		meta := owner("destination-rule", i)
		if i%subsetsEvery != 0 {
			meta = object{"filter_metadata": object{"istio": object{}}}
		}
		meta["filter_metadata"].(object)["istio"].(object)["services"] = []any{object{"host": host(i), "name": fmt.Sprintf("svc-%05d", i), "namespace": "load"}}
		cluster := object{
			"@type": configType + "cluster.v3.Cluster", "name": clusterName(i, subset), "type": "EDS",
			"eds_cluster_config": object{
				"eds_config":   object{"ads": object{}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
				"service_name": clusterName(i, subset),
			},
			"connect_timeout": "10s", "lb_policy": "LEAST_REQUEST",
			"circuit_breakers": object{"thresholds": []any{object{
				"max_connections": uint32(1<<32 - 1), "max_pending_requests": uint32(1<<32 - 1), "max_requests": uint32(1<<32 - 1), "max_retries": uint32(1<<32 - 1), "track_remaining": true,
			}}},
			"common_lb_config": object{}, "metadata": meta, "alt_stat_name": clusterName(i, subset) + ";",
			"transport_socket_matches": []any{
				object{"name": "tlsMode-istio", "match": object{"tlsMode": "istio"}, "transport_socket": object{
					"name": "envoy.transport_sockets.tls",
					"typed_config": object{
						"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
						"common_tls_context": object{
							"tls_params":                         object{"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
							"alpn_protocols":                     []any{"istio-peer-exchange", "istio"},
							"tls_certificate_sds_secret_configs": []any{sds("default")},
							"combined_validation_context": object{
								"default_validation_context":           object{"match_subject_alt_names": []any{object{"exact": "spiffe://cluster.local/ns/load/sa/default"}}},
								"validation_context_sds_secret_config": sds("ROOTCA"),
							},
						},
						"sni": "outbound_.8080_." + subset + "_." + host(i),
					},
				}},
				object{"name": "tlsMode-disabled", "match": object{}, "transport_socket": object{
					"name": "envoy.transport_sockets.raw_buffer", "typed_config": object{"@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"},
				}},
			},
		}
		if i%subsetsEvery == 0 {
			cluster["outlier_detection"] = object{"consecutive_5xx": 5, "interval": "5s", "base_ejection_time": "30s", "enforcing_consecutive_5xx": 100}
		}
		all = append(all, object{"version_info": version, "cluster": cluster, "last_updated": "2026-01-01T00:00:00.001Z"})
	}
	return all
}

func address(i, n int) object {
	return object{"socket_address": object{"address": fmt.Sprintf("10.%d.%d.%d", n+1, i/250%250, i%250+1), "port_value": 8080}}
}

func endpoints(i int) []any {
	var all []any
	for _, subset := range subsets(i) {
		var groups []any
		for n, zone := range []string{"a", "b"} {
			groups = append(groups, object{
				"locality":              object{"region": "eu", "zone": "west", "sub_zone": zone},
				"load_balancing_weight": 1,
				"lb_endpoints": []any{object{
					"endpoint": object{"address": address(i, n), "health_check_config": object{}}, "health_status": "HEALTHY", "load_balancing_weight": 1,
					"metadata": object{"filter_metadata": object{
						"envoy.transport_socket_match": object{"tlsMode": "istio"},
						"istio":                        object{"workload": fmt.Sprintf("svc-%05d;load;svc-%05d;v%d;Kubernetes", i, i, n+1)},
					}},
				}},
			})
		}
		all = append(all, object{"endpoint_config": object{
			"@type": configType + "endpoint.v3.ClusterLoadAssignment", "cluster_name": clusterName(i, subset), "endpoints": groups,
			"policy": object{"overprovisioning_factor": 140},
		}})
	}
	return all
}

func statuses(i int) []any {
	var all []any
	for _, subset := range subsets(i) {
		var hosts []any
		for n := range 2 {
			var stats []any
			for _, name := range []string{"cx_connect_fail", "cx_total", "rq_error", "rq_success", "rq_timeout", "rq_total"} {
				stats = append(stats, object{"name": name, "value": "0"})
			}
			stats = append(stats, object{"type": "GAUGE", "name": "cx_active"}, object{"type": "GAUGE", "name": "rq_active"})
			hosts = append(hosts, object{
				"address": address(i, n), "stats": stats, "health_status": object{"eds_health_status": "HEALTHY"}, "weight": 1,
				"locality": object{"region": "eu", "zone": "west", "sub_zone": "a"},
			})
		}
		all = append(all, object{"name": clusterName(i, subset), "added_via_api": true, "host_statuses": hosts, "observability_name": clusterName(i, subset) + ";"})
	}
	return all
}

func listeners(i int) []any {
	if i%listenerEvery != 0 {
		return nil
	}
	name := fmt.Sprintf("10.0.%d.%d_9000", i/250%250, i%250+1)
	return []any{object{"name": name, "active_state": object{"version_info": version, "listener": object{
		"@type": configType + "listener.v3.Listener", "name": name, "traffic_direction": "OUTBOUND",
		"address": object{"socket_address": object{"address": fmt.Sprintf("10.0.%d.%d", i/250%250, i%250+1), "port_value": 9000}},
		"filter_chains": []any{object{"filters": []any{object{
			"name": "envoy.filters.network.tcp_proxy",
			"typed_config": object{
				"@type":       "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
				"stat_prefix": clusterName(i, ""), "cluster": clusterName(i, ""),
				"access_log": []any{object{"name": "envoy.access_loggers.file", "typed_config": object{
					"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "/dev/stdout",
				}}},
			},
		}}}},
	}, "last_updated": "2026-01-01T00:00:00.001Z"}}}
}

func routes(n int) object {
	hosts := make([]any, 0, n)
	for i := range n {
		domains := []any{host(i)}
		for _, short := range []string{".", ".load.svc", ".load", ""} {
			domains = append(domains, fmt.Sprintf("svc-%05d%s", i, short))
		}
		hosts = append(hosts, object{"name": host(i) + ":8080", "domains": domains, "include_request_attempt_count": true, "routes": routesOf(i)})
	}
	return object{"version_info": version, "last_updated": "2026-01-01T00:00:00.001Z", "route_config": object{
		"@type": configType + "route.v3.RouteConfiguration", "name": "8080", "virtual_hosts": hosts,
		"validate_clusters": false, "max_direct_response_body_size_bytes": 1048576, "ignore_port_in_host_matching": true,
	}}
}

func routesOf(i int) []any {
	retries := object{
		"retry_on": "connect-failure,refused-stream,unavailable,cancelled", "num_retries": 2, "host_selection_retry_max_attempts": "5",
		"retry_host_predicate": []any{object{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": object{"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}},
	}
	if i%subsetsEvery != 0 {
		return []any{object{"name": "default", "match": object{"prefix": "/"}, "decorator": object{"operation": host(i) + ":8080/*"},
			"route": object{"cluster": clusterName(i, ""), "timeout": "0s", "retry_policy": retries}}}
	}
	return []any{
		object{"match": object{"prefix": "/api", "case_sensitive": true, "headers": []any{object{"name": "x-user", "string_match": object{"exact": "jason"}}}},
			"route": object{"cluster": clusterName(i, "v2"), "timeout": "3s", "retry_policy": retries}, "metadata": owner("virtual-service", i)},
		object{"match": object{"prefix": "/"}, "metadata": owner("virtual-service", i), "route": object{"timeout": "0s", "retry_policy": retries,
			"weighted_clusters": object{"clusters": []any{object{"name": clusterName(i, "v1"), "weight": 90}, object{"name": clusterName(i, "v2"), "weight": 10}}, "total_weight": 100}}},
	}
}

func secret() object {
	return object{"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name": "ROOTCA",
		"validation_context": object{"trusted_ca": object{"inline_bytes": base64.StdEncoding.EncodeToString([]byte(root))}}}
}

// root is a certificate that nobody has the key of.
const root = `-----BEGIN CERTIFICATE-----
MIIBhzCCAS2gAwIBAgIUNJJjZ02lw5+6FAPWc5gZPqx+104wCgYIKoZIzj0EAwIw
GDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDAgFw0yNjExMjMxODEzMDhaGA8yMTI2
MTAzMDE4MTMwOFowGDEWMBQGA1UECgwNY2x1c3Rlci5sb2NhbDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABLhyfGE19QDicn59IvYRQUlHdzIIKVWG/30XhZUjQ9U+
MmpQGFuGVhjpsYDGFUVDXRGncTk+xReAgBkB9fMaXAmjUzBRMB0GA1UdDgQWBBQQ
axHGOytErz+esXF8pnekpSW3TTAfBgNVHSMEGDAWgBQQaxHGOytErz+esXF8pnek
pSW3TTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIHiWNC+G6Xoz
faZZt4UylxWYSERu0iCN+mlL63DBmGJdAiEA5q8eZ2duyFcf4qZVfcEZiwjn+aMy
nrtfjruQaAUAe/0=
-----END CERTIFICATE-----
`
