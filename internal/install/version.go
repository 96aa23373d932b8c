package install

// Version is the Istio release that the embedded charts belong to, and the
// default image tag. Nothing else in the program names a release.
const Version = "1.31.1"

// Hub is the default registry and path of Istio's images.
const Hub = "docker.io/istio"

// offlineKubeVersion is what the charts are told when no cluster is asked: the
// oldest Kubernetes that this Istio release supports.
const offlineKubeVersion = "1.32.0"
