package meshgen

// The objects, as teams write them.
const (
	namespace = `apiVersion: v1
kind: Namespace
metadata:
  name: %[1]s
  labels:
    istio-injection: enabled
`
	ingress = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ingress
  namespace: edge
spec:
  selector:
    matchLabels:
      istio: edge
  template:
    metadata:
      labels:
        istio: edge
    spec:
      containers:
      - name: istio-proxy
        image: auto
---
apiVersion: v1
kind: Service
metadata:
  name: ingress
  namespace: edge
spec:
  selector:
    istio: edge
  ports:
  - name: http
    port: 80
    targetPort: 80
  - name: https
    port: 443
    targetPort: 443
---
apiVersion: v1
kind: Namespace
metadata:
  name: edge
  labels:
    istio-injection: enabled
`
	peerAuthentication = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: %[1]s
spec:
  mtls:
    mode: STRICT
`
	serviceAccount = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: %[1]s
  namespace: %[2]s
`
	service = `apiVersion: v1
kind: Service
metadata:
  name: %[1]s
  namespace: %[2]s
  labels:
    app: %[3]s
spec:
  selector:
    app: %[3]s
  ports:
  - name: %[4]s
    port: %[5]d
    targetPort: %[5]d
    protocol: TCP
  - name: grpc
    port: 9090
    targetPort: 9090
    protocol: TCP
`
	deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  namespace: %[2]s
  labels:
    app: %[4]s
    version: v1
spec:
  replicas: %[3]d
  selector:
    matchLabels:
      app: %[5]s
      version: v1
  template:
    metadata:
      labels:
        app: %[6]s
        version: v1
    spec:
      serviceAccountName: %[7]s
      containers:
      - name: app
        image: registry.example.com/team/app:1.4.2
        ports:
        - containerPort: 8080
        - containerPort: 9090
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
        readinessProbe:
          httpGet:
            path: /ready
            port: 8080
`
	pod = `apiVersion: v1
kind: Pod
metadata:
  name: %[1]s-6f9c8-%[2]d
  namespace: %[3]s
  uid: 00000000-0000-0000-%04[6]d-%012[5]d
  labels:
    app: %[4]s
    version: v1
    pod-template-hash: 6f9c8
    security.istio.io/tlsMode: istio
  ownerReferences:
  - apiVersion: apps/v1
    kind: ReplicaSet
    name: %[7]s-6f9c8
spec:
  serviceAccountName: %[8]s
  containers:
  - name: app
    image: registry.example.com/team/app:1.4.2
  initContainers:
  - name: istio-proxy
    image: docker.io/istio/proxyv2:1.31.1
    restartPolicy: Always
`
	livePod = `apiVersion: v1
kind: Pod
metadata:
  name: %[1]s-6f9c8-%[2]d
  namespace: %[3]s
  labels:
    app: %[4]s
    version: v1
    security.istio.io/tlsMode: istio
spec:
  serviceAccountName: %[8]s
  schedulingGates:
  - name: bench.example.com/stays-where-it-is
  containers:
  - name: app
    image: registry.example.com/team/app:1.4.2
  initContainers:
  - name: istio-proxy
    image: docker.io/istio/proxyv2:1.31.1
    restartPolicy: Always
`
	virtualService = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  hosts:
  - %[3]s
  - %[3]s.%[4]s.example.com
  gateways:
  - %[5]s
  - mesh
  http:
  - match:
    - uri:
        prefix: /api
      headers:
        x-version:
          exact: canary
    route:
    - destination:
        host: %[6]s
        port:
          number: 8080
%[7]s    timeout: 5s
    retries:
      attempts: 2
      perTryTimeout: 2s
  - route:
    - destination:
        host: %[8]s
        subset: %[9]s
        port:
          number: 8080
`
	destinationRule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  host: %[3]s
  trafficPolicy:
    connectionPool:
      http:
        http1MaxPendingRequests: 100
    outlierDetection:
      consecutive5xxErrors: 5
      interval: 10s
  subsets:
  - name: v1
    labels:
      version: v1
`
	authorizationPolicy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  selector:
    matchLabels:
      app: %[3]s
  rules:
  - from:
    - source:
        principals:
        - cluster.local/ns/%[4]s/sa/%[5]s
    to:
    - operation:
        methods: ["GET", "POST"]
        paths: ["/api/*"]
`
	sharedGateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  selector:
    istio: edge
  servers:
  - port:
      number: 80
      name: http
      protocol: HTTP
    hosts:
    - "*.%[3]s.example.com"
`
	serviceEntry = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  hosts:
  - %[3]s.partner.example.net
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
  - number: 443
    name: tls
    protocol: TLS
`
	sidecar = `apiVersion: networking.istio.io/v1
kind: Sidecar
metadata:
  name: default
  namespace: %[1]s
spec:
  egress:
  - hosts:
    - ./*
    - edge/*
`
	gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  selector:
    istio: edge
  servers:
  - port:
      number: 80
      name: http
      protocol: HTTP
    hosts:
    - %[3]s.example.com
  - port:
      number: 443
      name: https
      protocol: HTTPS
    tls:
      mode: SIMPLE
      credentialName: %[1]s-tls
    hosts:
    - %[3]s.example.com
`
	route = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: %[1]s
  namespace: %[2]s
spec:
  hosts:
  - %[3]s.example.com
  gateways:
  - %[4]s
  http:
  - match:
    - uri:
        prefix: /
    route:
    - destination:
        host: %[6]s.%[5]s.svc.cluster.local
        port:
          number: 8080
%[7]s`
)
