package parity

import "strings"

// Fragments are specs of IstioOperator files that the peer takes: what cannot
// be said in one --set.
func Fragments() []string {
	var out []string
	for f := range strings.SplitSeq(fragments, "---\n") {
		if f = strings.TrimSpace(f); f != "" {
			out = append(out, f+"\n")
		}
	}
	return out
}

const fragments = `
components:
  ingressGateways:
  - name: istio-ingressgateway
    enabled: true
    k8s:
      hpaSpec: {minReplicas: 2, maxReplicas: 4}
      podDisruptionBudget: {minAvailable: 2}
      serviceAnnotations: {cloud.example.com/lb: "internal"}
      service: {externalTrafficPolicy: Local, loadBalancerSourceRanges: [192.0.2.0/24]}
---
components:
  ingressGateways:
  - name: istio-ingressgateway
    enabled: true
  - name: edge-a
    namespace: edge
    enabled: true
    label: {istio: edge-a, app: edge-a}
    k8s:
      replicaCount: 2
      service:
        type: LoadBalancer
        ports:
        - {name: status-port, port: 15021, targetPort: 15021}
        - {name: https, port: 443, targetPort: 8443, nodePort: 30443}
        - {name: quic, port: 443, targetPort: 8443, protocol: UDP}
        - {name: named, port: 9999, targetPort: metrics}
  - name: edge-b
    enabled: false
  - name: edge-c
    namespace: edge
    hub: quay.io/edge
    tag: v7
    label: {istio: edge-c}
---
components:
  egressGateways:
  - name: istio-egressgateway
    enabled: true
    k8s:
      env: [{name: ISTIO_META_REQUESTED_NETWORK_VIEW, value: n2}]
      resources: {requests: {cpu: 15m, memory: 30Mi}, limits: {cpu: "1", memory: 256Mi}}
      nodeSelector: {pool: egress}
      tolerations: [{key: egress, operator: Exists, effect: NoSchedule}]
      podAnnotations: {a/b: "true"}
      priorityClassName: low
      strategy: {type: Recreate, rollingUpdate: null}
      imagePullPolicy: IfNotPresent
      securityContext: {runAsUser: 1000, fsGroup: 1000}
      readinessProbe: {failureThreshold: 9, httpGet: {path: /ready}}
      affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {a: b}}}}]}}
---
components:
  pilot:
    k8s:
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [mesh]}]}]}}}
      env:
      - {name: PILOT_TRACE_SAMPLING, value: "100"}
      - {name: FROM_FIELD, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
      hpaSpec:
        minReplicas: 3
        maxReplicas: 9
        metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 55}}}]
        behavior: {scaleDown: {stabilizationWindowSeconds: 30}}
      imagePullPolicy: Always
      nodeSelector: {disk: ssd, "example.com/pool": "1.10"}
      podDisruptionBudget: {maxUnavailable: 1}
      podAnnotations: {example.com/a: "1.10"}
      priorityClassName: high
      readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 9, timeoutSeconds: 8}
      replicaCount: 4
      resources: {requests: {cpu: 700m, memory: 3Gi}, limits: {cpu: "2", ephemeral-storage: 1Gi}}
      strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
      tolerations: [{key: dedicated, operator: Equal, value: mesh, effect: NoExecute, tolerationSeconds: 30}]
      serviceAnnotations: {example.com/scrape: "yes"}
      service: {ports: [{name: extra, port: 9000}], clusterIP: None}
      securityContext: {fsGroup: 1337, supplementalGroups: [1, 2], sysctls: [{name: net.core.somaxconn, value: "1024"}]}
---
components:
  cni:
    enabled: true
    k8s:
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
      env: [{name: X, value: "y"}]
      nodeSelector: {os: linux}
      podAnnotations: {a: b}
      priorityClassName: system-node-critical
      readinessProbe: {periodSeconds: 3}
      resources: {requests: {cpu: 5m}, limits: {cpu: 1}}
      tolerations: [{key: cni, operator: Exists}]
      securityContext: {fsGroup: 5}
      imagePullPolicy: Always
---
components:
  cni: {enabled: true, k8s: {strategy: {type: OnDelete}, replicaCount: 2, service: {type: ClusterIP}}}
  ztunnel: {enabled: true, k8s: {strategy: {type: OnDelete}, hpaSpec: {maxReplicas: 2}, podDisruptionBudget: {minAvailable: 1}}}
---
components:
  ztunnel:
    enabled: true
    namespace: zt
    k8s:
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
      env: [{name: RUST_LOG, value: debug}]
      nodeSelector: {os: linux}
      podAnnotations: {prometheus.io/port: "1"}
      priorityClassName: high
      readinessProbe: {periodSeconds: 3}
      resources: {requests: {cpu: 5m, memory: 1Gi}, limits: {memory: 2Gi}}
      tolerations: []
      imagePullPolicy: Always
      securityContext: {fsGroup: 5}
---
components:
  pilot:
    k8s:
      overlays:
      - apiVersion: apps/v1
        kind: Deployment
        name: istiod
        patches:
        - {path: "spec.template.spec.containers.[name:discovery].args.[0]", value: start}
        - {path: "spec.template.spec.containers[name:discovery].args[-1]", value: --last}
        - {path: "spec.template.spec.containers.[name:discovery].args.[1000]", value: --after}
        - {path: "spec.template.spec.containers.[name:discovery].env.[name:REVISION].value", value: changed}
        - {path: "spec.template.spec.containers.[name:discovery].env.[name:POD_NAME]", value: {name: POD_NAME, value: fixed}}
        - {path: "spec.template.spec.containers.[name:discovery].env.[-1]", value: {name: NEW, value: "1.10"}}
        - {path: "spec.template.spec.containers.[name:discovery].readinessProbe"}
        - {path: "spec.template.spec.containers.[name:discovery].resources.requests.cpu"}
        - {path: 'spec.template.metadata.annotations.example\.com/deep', value: "yes"}
        - {path: "spec.template.spec.volumes", value: [{name: only, emptyDir: {}}]}
        - {path: "spec.template.spec.hostNetwork", value: true}
        - {path: "spec.minReadySeconds", value: 1000000}
        - {path: "spec.replicas"}
---
components:
  pilot:
    k8s:
      overlays:
      - kind: ConfigMap
        name: istio
        patches:
        - {path: data.mesh, value: "{}"}
        - {path: data.extra, value: "no colon here"}
        - {path: data.json, value: '{"a": "b"}'}
        - {path: metadata.labels, value: {only: this}}
      - kind: Service
        name: istiod
        patches:
        - {path: "spec.ports.[name:https-dns].port", value: 15099}
        - {path: "spec.ports.[port:15010]"}
        - {path: "spec.ports.[1].name", value: renamed}
        - {path: spec.selector.extra, value: x}
      - kind: Nothing
        name: here
        patches: [{path: a.b, value: c}]
---
components:
  pilot:
    k8s:
      overlays:
      - kind: Deployment
        name: istiod
        patches:
        - {path: spec.strategy, value: "rollingUpdate: {maxSurge: 3}"}
        - path: spec.template.spec.securityContext
          value: |
            fsGroup: 12
            runAsNonRoot: true
        - path: spec.template.metadata.annotations.list
          value: |
            - a
            - b
      - kind: MutatingWebhookConfiguration
        name: istio-sidecar-injector
        patches:
        - {path: 'webhooks.[0].failurePolicy', value: Ignore}
        - {path: "webhooks[1].timeoutSeconds", value: 7}
        - {path: 'webhooks.[name:object\.sidecar-injector\.istio\.io]'}
---
components:
  ingressGateways:
  - name: istio-ingressgateway
    enabled: true
    k8s:
      overlays:
      - kind: HorizontalPodAutoscaler
        name: istio-ingressgateway
        patches: [{path: "spec.metrics.[type:Resource].resource.target.averageUtilization", value: 45}]
      - kind: Service
        name: istio-ingressgateway
        patches:
        - {path: "spec.ports.[name:http2].nodePort", value: 30080}
        - {path: "spec.ports.[-1]", value: {name: tls, port: 15443, targetPort: 15443}}
      - kind: Deployment
        name: istio-ingressgateway
        patches:
        - {path: "spec.template.spec.containers.[name:istio-proxy].args.[:^--log_output_level]", value: --log_output_level=default:warn}
        - {path: "spec.template.spec.containers.[name:istio-proxy].args.[router]"}
        - {path: "spec.template.spec.containers.[name:istio-proxy].lifecycle.preStop.exec.command", value: [sleep, "5"]}
---
components:
  base:
    k8s:
      overlays:
      - kind: CustomResourceDefinition
        name: gateways.networking.istio.io
        patches: [{path: metadata.annotations.keep, value: "true"}]
      - kind: ServiceAccount
        name: istio-reader-service-account
        patches: [{path: metadata.annotations, value: {a: b}}]
---
values:
  global:
    meshID: m1
    network: n1
    multiCluster: {clusterName: c1, enabled: true}
    meshNetworks:
      n1:
        endpoints: [{fromRegistry: c1}]
        gateways: [{registryServiceName: gw.istio-system.svc.cluster.local, port: 15443}]
---
values:
  pilot:
    env: {A: true, B: 1, C: "1.10", D: ""}
    volumes: [{name: v, emptyDir: {}}]
    volumeMounts: [{name: v, mountPath: /v}]
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: istiod}}}]
    tolerations: [{key: k, operator: Exists}]
    ipFamilies: [IPv4, IPv6]
    resources: null
---
values:
  sidecarInjectorWebhook:
    templates:
      custom: |
        spec:
          containers:
          - name: istio-proxy
            image: "{{ .Values.global.hub }}/custom"
    defaultTemplates: [sidecar, custom]
    injectedAnnotations: {a/b: c}
    neverInjectSelector: [{matchExpressions: [{key: job-name, operator: Exists}]}]
---
values:
  global:
    proxy:
      lifecycle: {preStop: {exec: {command: [sleep, "10"]}}}
      startupProbe: null
    defaultTolerations: [{key: all, operator: Exists}]
    defaultNodeSelector: {os: linux}
    arch: {amd64: 2, arm64: 1}
    waypoint:
      affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
---
values:
  gateways:
    istio-ingressgateway:
      ingressPorts: [{port: 9999, targetPort: 9999, name: extra}]
      ports: [{port: 8443, targetPort: 8443, name: https}]
      secretVolumes: [{name: certs, secretName: certs, mountPath: /certs}]
      configVolumes: [{name: conf, configMapName: conf, mountPath: /conf}]
      additionalContainers: [{name: helper, image: busybox}]
      labels: {team: mesh}
---
values:
  cni:
    excludeNamespaces: [kube-system, istio-system]
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
    ambient: {enabled: true, configDir: /x}
    repair: {brokenPodLabelKey: x/y, brokenPodLabelValue: "1"}
---
meshConfig:
  extensionProviders:
  - name: otel
    opentelemetry: {service: otel.observability.svc.cluster.local, port: 4317}
  - name: authz
    envoyExtAuthzHttp: {service: authz.svc, port: 8000, includeRequestHeadersInCheck: [authorization]}
  defaultProviders: {tracing: [otel], accessLogging: [envoy]}
  defaultConfig:
    proxyMetadata: {A: "1", B: "true", C: "1.10"}
    proxyStatsMatcher: {inclusionRegexps: [".*outlier.*"]}
    gatewayTopology: {numTrustedProxies: 2}
    terminationDrainDuration: 20s
  discoverySelectors: [{matchExpressions: [{key: mesh, operator: In, values: [a, b]}]}]
  serviceSettings: [{settings: {clusterLocal: true}, hosts: ["*.local"]}]
---
meshConfig:
  accessLogFormat: |
    {"a": "%REQ(X)%",
     "b": 1}
  localityLbSetting: {failover: [{from: a, to: b}]}
values:
  meshConfig: {accessLogFile: /dev/stderr, rootNamespace: other}
---
unvalidatedValues:
  global: {proxy: {resources: {limits: null}}, custom: {deep: [1, 2.5, x]}}
  meshConfig: {customField: kept}
  pilot: {podAnnotations: {from: unvalidated}}
`
