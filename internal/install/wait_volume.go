package install

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// whyVolume is for pods that wait for a volume; false when no claim of theirs
// says why. blank carries the scheduler's words.
func (b *board) whyVolume(pod *corev1.Pod, blank Reason) (Reason, bool) {
	claims, known := b.ask(question{about: aboutClaims, namespace: pod.Namespace})
	classes, knownClasses := b.ask(question{about: aboutClasses})
	if !known || !knownClasses {
		blank.pending = true
		return blank, true
	}
	if claims.err != nil {
		return Reason{}, false
	}
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		name := v.PersistentVolumeClaim.ClaimName
		i := slices.IndexFunc(claims.claims, func(c *corev1.PersistentVolumeClaim) bool { return c.Name == name })
		if i < 0 {
			r := blank
			r.Reason, r.Message, r.Terminal = "VolumeMissing", fmt.Sprintf("PersistentVolumeClaim %s/%s is not there", pod.Namespace, name), true
			r.Next = "create the claim, or take it out of the values that name it"
			return r, true
		}
		if r, ok := b.whyClaim(claims.claims[i], classes); ok {
			r.Object = blank.Object
			r.Evidence = append(blank.Evidence, r.Evidence...)
			return r, true
		}
	}
	return Reason{}, false
}

// whyClaimObject is for claims that an install brings.
func (b *board) whyClaimObject(live *unstructured.Unstructured) Reason {
	still := waitingFor(ident(live), readiness(live).text, "see `kubectl describe "+target(live)+"`")
	claim, err := typed[corev1.PersistentVolumeClaim](live)
	if err != nil {
		return still
	}
	classes, known := b.ask(question{about: aboutClasses})
	if r, ok := b.whyClaim(claim, classes); known && ok {
		return r
	}
	still.pending = !known
	return still
}

// whyClaim says why a claim has no volume; false when it has one, or will have
// one as soon as its pod has a node.
func (b *board) whyClaim(claim *corev1.PersistentVolumeClaim, classes answer) (Reason, bool) {
	about := "PersistentVolumeClaim " + claim.Namespace + "/" + claim.Name
	see := "see `kubectl describe pvc " + claim.Name + " -n " + claim.Namespace + "`"
	r := Reason{Object: about, Reason: "VolumePending", Next: see,
		Evidence: proves(b.lastEvent(claim.UID, nil, "ProvisioningFailed", "FailedBinding", "ExternalProvisioning", "VolumeMismatch"))}
	if claim.Status.Phase == corev1.ClaimBound {
		return r, false
	}
	if claim.Status.Phase == corev1.ClaimLost {
		r.Message, r.Terminal = about+" has lost its volume "+claim.Spec.VolumeName, true
		return r, true
	}
	name := ""
	if claim.Spec.StorageClassName != nil {
		name = *claim.Spec.StorageClassName
	}
	i := slices.IndexFunc(classes.classes, func(c *storagev1.StorageClass) bool { return c.Name == name })
	switch {
	case classes.err != nil || claim.Spec.VolumeName != "":
		r.Message = about + " is not bound to a volume"
	case claim.Spec.StorageClassName == nil && !slices.ContainsFunc(classes.classes, isDefault):
		r.Message, r.Terminal = about+" names no storage class, and the cluster has no default one", true
		r.Next = "make one the default (`kubectl annotate storageclass NAME " + defaultClass + "=true`), or name one in the values"
	case name != "" && i < 0:
		r.Message, r.Terminal = fmt.Sprintf("%s wants storage class %q, which is not there", about, name), true
		r.Next = "name one that `kubectl get storageclasses` shows, or create it"
	case i >= 0 && classes.classes[i].VolumeBindingMode != nil && *classes.classes[i].VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer && len(r.Evidence) == 0:
		return r, false // its pod's node is chosen first
	case i >= 0:
		r.Message = fmt.Sprintf("%s waits for a volume from %s (storage class %s)", about, classes.classes[i].Provisioner, name)
		r.Next = "see whether that provisioner runs; " + see
	default:
		r.Message = about + " is not bound to a volume"
	}
	return r, true
}

const defaultClass = "storageclass.kubernetes.io/is-default-class"

func isDefault(c *storagev1.StorageClass) bool { return c.Annotations[defaultClass] == "true" }
