package kube

import (
	"context"
	"errors"
	"net"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshctl/meshctl/internal/hint"
)

// Explain turns an error of the API server or of the way to it into one
// sentence with a hint. doing says what was being done to what, such as
// "listing pods in istio-system". Errors that already carry a hint pass.
func Explain(doing string, err error) error {
	var known *hint.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled):
		return err
	case apierrors.IsForbidden(err):
		return hint.Unanswerablef("ask for this permission, or use --as or another context that has it; `kubectl auth can-i --list` shows what this identity may do",
			"%s: forbidden: %s", doing, refusal(err))
	case apierrors.IsUnauthorized(err):
		return hint.Unanswerablef("log in again: the API server did not accept the credentials of this context", "%s: not logged in", doing)
	case errors.Is(err, context.DeadlineExceeded), strings.Contains(err.Error(), "would exceed context deadline"), apierrors.IsTimeout(err), isNetTimeout(err):
		return hint.Unanswerablef("the API server did not answer in time; give it longer with --timeout, or check it with `kubectl get --raw /readyz`",
			"%s: no answer before the deadline", doing)
	case isUnreachable(err):
		return hint.Unanswerablef("check --kubeconfig and --context, and that the cluster is up: `kubectl cluster-info`",
			"%s: cannot reach the API server: %s", doing, rootCause(err))
	case apierrors.IsTooManyRequests(err), apierrors.IsServerTimeout(err), apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err):
		return hint.Unanswerablef("the API server is overloaded or starting; try again in a moment", "%s: %s", doing, reason(err))
	case isGarbled(err):
		return hint.Unanswerablef("try again; if it stays, look at what is between here and the API server: `kubectl get --raw /version`",
			"%s: the answer is cut off or not an API server's: %s", doing, rootCause(err))
	}
	return hint.Failf("", "%s: %w", doing, err)
}

func reason(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Message != "" {
		return status.Status().Message
	}
	return err.Error()
}

// refusal is what a forbidden error says of who may not do what, without the
// resource's name at both ends.
func refusal(err error) string {
	text := reason(err)
	if _, who, found := strings.Cut(text, " is forbidden: "); found {
		return who
	}
	return text
}

func isNetTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func isUnreachable(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) || errors.As(err, &dns) || strings.Contains(err.Error(), "x509:") ||
		strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "no configuration has been provided")
}

// rootCause is the failed connection, else the innermost message: the URL and
// verb around them say nothing new.
func rootCause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}
