package kube

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WhoAmI is the name by which the API server knows this identity.
func (c *Client) WhoAmI(ctx context.Context) (string, error) {
	k, err := c.Kubernetes()
	if err != nil {
		return "", err
	}
	review, err := k.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("asking the API server who this is: %w", err)
	}
	return review.Status.UserInfo.Username, nil
}
