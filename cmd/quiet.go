package cmd

import (
	"github.com/go-logr/logr"
	istiolog "istio.io/istio/pkg/log"
	"k8s.io/klog/v2"
)

// quietLibraries stops client-go and Istio's packages from logging: Istio's
// send klog to stdout, where only results belong, and what matters of their
// errors is returned and reported once.
func quietLibraries() {
	klog.SetLogger(logr.Discard())
	for _, scope := range istiolog.Scopes() {
		scope.SetOutputLevel(istiolog.NoneLevel)
	}
}
