package bed

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"

	admission "k8s.io/api/admission/v1"
	registration "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const refuser, refusal = "bed-refuses", "the platform team allows no change here on a Friday"

// breakWebhook registers a webhook that refuses to create or update a resource in istio-system.
func (b *Bed) breakWebhook(ctx context.Context, resource string, broken bool) error {
	hooks := b.client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if !broken {
		return ignoreNotFound(hooks.Delete(ctx, refuser, metav1.DeleteOptions{}))
	}
	port, err := b.serveRefusal()
	if err != nil {
		return err
	}
	url, fail, none := "https://"+loopback(port)+"/refuse", registration.Fail, registration.SideEffectClassNone
	_, err = hooks.Create(ctx, &registration.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: refuser},
		Webhooks: []registration.ValidatingWebhook{{
			Name: "refuses.bed.meshctl.io", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      registration.WebhookClientConfig{URL: &url, CABundle: b.creds.ca.pem},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": meshNamespace}},
			Rules: []registration.RuleWithOperations{{Operations: []registration.OperationType{registration.Create, registration.Update},
				Rule: registration.Rule{APIGroups: []string{"*"}, APIVersions: []string{"*"}, Resources: []string{resource}}}},
		}}}, metav1.CreateOptions{})
	return ignoreExists(err)
}

// serveRefusal answers every admission review with no, until the bed ends. It returns the port.
func (b *Bed) serveRefusal() (int, error) {
	port, err := b.ports.take()
	if err != nil {
		return 0, err
	}
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return 0, err
	}
	serve(b.life, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{b.creds.serving}, MinVersion: tls.VersionTLS12}),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var review admission.AdmissionReview
			if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
				http.Error(w, "no admission review", http.StatusBadRequest)
				return
			}
			review.Response = &admission.AdmissionResponse{UID: review.Request.UID, Allowed: false,
				Result: &metav1.Status{Code: http.StatusForbidden, Message: refusal}}
			review.Request = nil
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(review)
		}))
	return port, nil
}
